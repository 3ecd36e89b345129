import type { ServerMessage } from './protocol/messages.js';

/** What `brokerProof` of `@soleseat/client/ticket` gives. */
export interface BrokerProof {
  /** A new one for each `hello`. */
  nonce(): string;
  /** For each connection. */
  vetting(): Vetting;
}

/** Judges what comes on one connection. A check takes its time, and what comes behind waits for it. */
export interface Vetting {
  /** `handOn` gets null where the message may be believed, or a sentence on what is wrong; it is not called for what counts for nothing. */
  hear(message: ServerMessage, nonce: string, handOn: (fault: string | null) => void): void;
  /** When all has been heard. */
  after(act: () => void): void;
}
