import type { ClientEvents } from './events.js';
import type { SessionClient } from './session-client.js';

/** A seat that was taken along. Keep it with `newLeave`. */
export type LeftSeat = ClientEvents['left'];

/** Why a seat was not taken along. The session goes on. */
export class LeaveRefused extends Error {
  constructor(
    /** The broker's code, such as `leave_not_allowed`; `connection_lost` where none came. */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Errors that are about something else, and may come meanwhile. */
const others: readonly string[] = ['token_not_yet_accepted', 'token_unavailable', 'flapping'];

/**
 * Takes the seat along offline, for `forMs` milliseconds at most. Settles when the broker has signed for it: then the client is closed,
 * and the program goes by the ticket. Rejects with `LeaveRefused` where it may not be, or where the connection is lost before: then
 * the session goes on.
 */
export function leave(seat: SessionClient, forMs: number): Promise<LeftSeat> {
  return new Promise((resolve, reject) => {
    const stops = [
      seat.on('left', (left) => settle(() => resolve(left))), // [leave-left]
      seat.on('error', ({ code, message }) => {
        if (!others.includes(code)) settle(() => reject(new LeaveRefused(code, message)));
      }),
      seat.on('state', ({ state }) => {
        if (state !== 'active' && state !== 'jeopardy') settle(lost);
      }),
    ];
    const settle = (act: () => void) => {
      for (const stop of stops) stop();
      act();
    };
    const lost = () =>
      reject(
        new LeaveRefused('connection_lost', 'There is no connection any more with a seat to take along.'),
      );
    if (!seat.requestLeave(forMs)) settle(lost);
  });
}
