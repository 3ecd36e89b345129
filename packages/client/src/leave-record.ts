import { type TicketClaims, type TicketKeys, verifyTicket } from './verify-ticket.js';

/** What a program keeps of a seat that it took along: plain JSON, for a file of its own. Write it anew after each look. */
export interface LeaveRecord {
  readonly ticket: string;
  /** How long the seat was granted for, from when the ticket came, in milliseconds. */
  readonly forMs: number;
  /** When the ticket came, in Unix milliseconds by the machine's clock. */
  readonly receivedMs: number;
  /** The latest time that the machine's clock has shown. */
  readonly seenMs: number;
}

/** The machine and the user that a ticket must be for, and the keys that may have signed it. */
export interface TicketHolder {
  readonly keys: TicketKeys;
  /** The id of this machine. */
  readonly machine: string;
  readonly user?: string;
  readonly org?: string;
}

export type LeaveLook =
  | {
      readonly holds: true;
      /** Until when, in Unix milliseconds by the machine's clock. */
      readonly untilMs: number;
      readonly claims: TicketClaims;
      readonly record: LeaveRecord;
    }
  | {
      readonly holds: false;
      readonly reason:
        | 'bad_ticket'
        | 'other_machine'
        | 'other_user'
        | 'other_org'
        | 'clock_set_back'
        | 'over';
      /** A sentence for people. */
      readonly message: string;
      readonly record: LeaveRecord;
    };

type Reason = Extract<LeaveLook, { holds: false }>['reason'];

/** The record of a seat that was taken along right now. */
export function newLeave(
  { ticket, forMs }: { readonly ticket: string; readonly forMs: number },
  nowMs: number = Date.now(),
): LeaveRecord {
  return { ticket, forMs, receivedMs: nowMs, seenMs: nowMs };
}

/**
 * Whether the seat may be used offline at this moment. It holds while the machine's clock lies between the latest time that it has
 * shown and the end of the leave: so to set it back gains nothing. Keep the `record` that comes back.
 */
export async function lookAtLeave(
  record: LeaveRecord,
  { keys, machine, user, org }: TicketHolder,
  nowMs: number = Date.now(),
): Promise<LeaveLook> {
  const seen = { ...record, seenMs: Math.max(record.seenMs, nowMs) };
  const no = (reason: Reason, message: string): LeaveLook => ({
    holds: false,
    reason,
    message,
    record: seen,
  });
  let claims: TicketClaims;
  try {
    claims = await verifyTicket(record.ticket, keys);
  } catch (fault) {
    return no('bad_ticket', fault instanceof Error ? fault.message : String(fault));
  }
  if (![record.forMs, record.receivedMs, record.seenMs].every(Number.isFinite))
    return no('bad_ticket', 'The record of the leave is broken: a time is missing in it.');
  if (claims.nonce !== undefined) return no('bad_ticket', 'The ticket is that of a connection.');
  if (claims.machine !== machine) return no('other_machine', 'The seat was taken along on another machine.');
  if (user !== undefined && claims.sub !== user) return no('other_user', 'Another user took the seat along.');
  if (org !== undefined && claims.org !== org) return no('other_org', 'The seat is that of another org.');
  // Not before the ticket came, either: a record may have been written by hand.
  if (nowMs < record.seenMs || nowMs < record.receivedMs)
    return no('clock_set_back', 'The clock of this computer was set back.');
  // Durations travel, and the ticket bounds what the record says.
  const untilMs = record.receivedMs + Math.min(record.forMs, (claims.exp - claims.iat) * 1_000);
  if (nowMs >= untilMs) return no('over', 'The time for which the seat was taken along is over.');
  return { holds: true, untilMs, claims, record: seen };
}
