import { type Cause, closeCause, isFinalStatus } from './cause.js';
import { NO_CLOSE_FRAME, type Seen } from './connection.js';
import { closeCodes, isFinal } from './protocol/close-codes.js';

const NORMAL = 1000;
/** The reasons with which 1000 is the broker's answer to a release. Some libraries report a broken connection as 1000 too. */
const givenBack: readonly string[] = ['released', 'left'];

/** What the end of a connection means for the session. */
export type Ending = 'evicted' | 'denied' | 'closed' | 'lost';

/** Reads an ending off the close code and off what was said before it. */
export function endingOf(code: number, reason: string, seen: Seen): Ending {
  if (seen.evicted !== undefined && (isFinal(code) || endsForGood(seen.evicted.reason))) return 'evicted';
  if (isFinal(code) || isFinalStatus(seen.cause)) return 'denied'; // [handshake-final] [handshake-others-retry]
  return code === NORMAL && givenBack.includes(reason) ? 'closed' : 'lost'; // [close-1000] [other-codes-retry]
}

/**
 * Whether an eviction is final by its reason. It counts even where the close frame got lost after the
 * message; a reason that this version does not know is taken as final, as that steals from nobody.
 */
export function endsForGood(reason: string): boolean {
  const known = closeCodes.find((row) => row.reason === reason);
  return known === undefined || isFinal(known.code); // [evicted-without-close]
}

/** A sentence for people about a refusal: the broker's own, or the table's. */
export function sentenceFor(code: number, reason: string, seen: Seen): string {
  if (seen.error !== undefined) return seen.error.message;
  if (seen.cause?.kind === 'status') return seen.cause.message;
  const row = closeCodes.find((one) => one.reason === reason) ?? closeCodes.find((one) => one.code === code);
  return row?.meaning ?? `The broker closed the connection with code ${code}.`;
}

/** Why there is no connection any more. */
export function causeOf(code: number, reason: string, seen: Seen): Cause {
  if (seen.cause !== undefined) return seen.cause;
  return code === NO_CLOSE_FRAME
    ? { kind: 'network', message: 'The connection broke.' }
    : closeCause(code, reason);
}
