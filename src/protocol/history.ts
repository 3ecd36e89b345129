/** One line of a user's history, newest first. Times are RFC 3339. */
export type HistoryLine = SessionLine | RefusalLine;

/** A session, from its grant to its end. A resume goes on with the same session. */
export interface SessionLine {
  readonly kind: 'session';
  readonly sessionId: string;
  readonly began: string;
  /** null: it goes on. */
  readonly ended: string | null;
  /** From its beginning to its end, or until now. */
  readonly hours: number;
  readonly machine: { readonly id: string; readonly name?: string };
  /** The program, as it calls itself. */
  readonly client?: { readonly name?: string; readonly version?: string };
  /** Only where the org keeps addresses. */
  readonly address?: string;
  /** Why it ended: as in `session.ended`. */
  readonly reason?: string;
  /** The actor who ended the session: `user`, `broker`, or the `sub` of an admin's token. */
  readonly actor?: string;
}

/** What was refused: the first in a minute for itself, the rest of the minute together. */
export interface RefusalLine {
  readonly kind: 'refusal';
  readonly at: string;
  readonly reason: string;
  readonly machine: { readonly id: string };
  /** How many refusals the line stands for, of which the last had this reason and machine. */
  readonly count: number;
}
