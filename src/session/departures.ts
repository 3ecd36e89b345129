import type { Tickets } from '../auth/tickets.js';
import type { Log } from '../base/log.js';
import type { Leaves } from '../store/leaves.js';
import type { Lifecycle } from './lifecycle.js';
import type { Renewals } from './renewals.js';
import type { Session } from './session.js';

export interface DeparturesParts {
  readonly leaves: Pick<Leaves, 'take' | 'isSafe' | 'undo'>;
  readonly tickets: Tickets;
  readonly lifecycle: Lifecycle;
  readonly renewals: Renewals;
  readonly log: Log;
}

/** Seats that are taken along offline: what the program was not told has not happened. */
export class Departures {
  constructor(private readonly parts: DeparturesParts) {}

  /** Lets the session go on leave, or tells why not; then it goes on. Never rejects. */
  async leave(session: Session, forMs: number): Promise<void> {
    const { tickets } = this.parts;
    if (!tickets.canSign) this.#refuse(session, 'leave_not_allowed');
    else if (session.state === 'jeopardy') this.#refuse(session, 'store_unavailable');
    else {
      // No renewal may report the lease of the leave as somebody else's.
      session.isLeaving = true;
      await this.#try(session, forMs);
      session.isLeaving = false;
    }
  }

  async #try(session: Session, forMs: number): Promise<void> {
    const { leaves, log } = this.parts;
    try {
      const lease = session.lease();
      const answer = await leaves.take(lease, forMs);
      if (answer.outcome === 'not_allowed') this.#refuse(session, 'leave_not_allowed');
      // Whoever took the seat has it told, or the next renewal does.
      if (answer.outcome !== 'left') return;
      const isSafe = await leaves.isSafe(lease, answer.epoch, answer.forMs);
      if (isSafe && !session.link.isEnded && session.isLive) this.#depart(session, answer);
      else await this.#turnBack(session, answer.epoch);
    } catch (error) {
      log.warn({ org: session.org, reason: String(error) }, 'leave not taken');
      // Nobody knows whether it was: the next hello of the machine ends it.
      if (session.isLive) session.link.end('lease_lost');
    }
  }

  #depart(
    session: Session,
    {
      epoch,
      leaveUntilMs,
      forMs,
      nowMs,
    }: { epoch: number; leaveUntilMs: number; forMs: number; nowMs: number },
  ): void {
    const { tickets, lifecycle } = this.parts;
    const { org, user, machineId, sessionId } = session;
    const seat = { org, user, machineId, sessionId, epoch };
    const ticket = tickets.sign({ ...seat, issuedAtMs: nowMs, expiresAtMs: leaveUntilMs }) ?? '';
    lifecycle.departed(session);
    session.link.end('left', { type: 'left', ticket, forMs });
  }

  async #turnBack(session: Session, epoch: number): Promise<void> {
    const { leaves, renewals } = this.parts;
    const back = await leaves.undo(session.lease(), epoch);
    if (back === null || session.link.isEnded || !session.isLive) return;
    session.raise(back);
    renewals.track(session);
    this.#refuse(session, 'store_unavailable');
  }

  #refuse(session: Session, code: 'leave_not_allowed' | 'store_unavailable'): void {
    const message =
      code === 'leave_not_allowed'
        ? 'a seat cannot be taken along here'
        : 'Redis cannot keep a leave safe at present: the session goes on';
    session.link.send({ type: 'error', code, message });
  }
}
