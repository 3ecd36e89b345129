import type { Tickets } from '../auth/tickets.js';
import type { Log } from '../base/log.js';
import type { TimerWheel } from '../base/timer-wheel.js';
import { StoreUnavailable } from '../store/errors.js';
import type { HeldLease } from '../store/lease-types.js';
import type { Leaves } from '../store/leaves.js';
import type { Lifecycle } from './lifecycle.js';
import type { Renewals } from './renewals.js';
import type { Session } from './session.js';

export interface DeparturesParts {
  readonly leaves: Pick<Leaves, 'take' | 'isSafe' | 'undo'>;
  readonly tickets: Tickets;
  readonly lifecycle: Lifecycle;
  readonly renewals: Renewals;
  readonly wheel: TimerWheel;
  readonly log: Log;
}

/** Some minutes: a failover takes less. */
const UNDO_AGAIN_MS = 2000;
const UNDO_TRIES = 150;

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
      // A renewal that was answered meanwhile has scheduled no other one.
      if (session.isLive && !session.link.isEnded) this.parts.renewals.track(session);
    }
  }

  async #try(session: Session, forMs: number): Promise<void> {
    const { leaves, log } = this.parts;
    try {
      const lease = session.lease();
      const answer = await leaves.take(lease, forMs);
      if (answer.outcome === 'not_allowed') this.#refuse(session, 'leave_not_allowed');
      // Whoever took the seat has it told, or the next renewal does; or Redis lost the lease, and has it back by then.
      else if (answer.outcome === 'lost') this.#refuse(session, 'store_unavailable');
      if (answer.outcome !== 'left') return;
      const isSafe = await leaves.isSafe(lease, answer.epoch, answer.forMs);
      if (isSafe && !session.link.isEnded && session.isLive) this.#depart(session, answer);
      else await this.#turnBack(session, answer.epoch);
    } catch (error) {
      log.warn({ org: session.org, reason: String(error) }, 'leave not taken');
      if (error instanceof StoreUnavailable && error.isFull) {
        // Nothing was written.
        this.#refuse(session, 'store_unavailable');
        return;
      }
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
    const back = await this.#undo(session, epoch);
    if (back === null || session.link.isEnded || !session.isLive) return;
    session.raise(back);
    this.#refuse(session, 'store_unavailable');
  }

  /** Tried again for a while, also for a connection that has gone: nobody holds the ticket, and nobody else gets in till then. */
  async #undo(
    session: Session,
    epoch: number,
  ): Promise<{ readonly epoch: number; readonly rank: number } | null> {
    const lease = session.lease();
    try {
      return await this.parts.leaves.undo(lease, epoch);
    } catch (error) {
      this.#undoLater(lease, epoch, UNDO_TRIES);
      throw error;
    }
  }

  #undoLater(lease: HeldLease, epoch: number, tries: number): void {
    if (tries === 0) return;
    this.parts.wheel.after(UNDO_AGAIN_MS, () => {
      this.parts.leaves.undo(lease, epoch).catch(() => this.#undoLater(lease, epoch, tries - 1));
    });
  }

  #refuse(session: Session, code: 'leave_not_allowed' | 'store_unavailable'): void {
    const message =
      code === 'leave_not_allowed'
        ? 'a seat cannot be taken along here'
        : 'Redis cannot keep a leave safe at present: the session goes on';
    session.link.send({ type: 'error', code, message });
  }
}
