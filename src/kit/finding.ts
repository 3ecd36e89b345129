/** What a check found wrong with the client, as a sentence. */
export class Finding extends Error {}

/** The check cannot tell anything here; the message says why. */
export class NotRun extends Error {}
