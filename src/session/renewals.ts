import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { Metrics } from '../base/metrics.js';
import type { TimerWheel } from '../base/timer-wheel.js';
import type { HeldLease, RenewAnswer } from '../store/lease-types.js';
import type { Lifecycle } from './lifecycle.js';
import type { Session } from './session.js';

export interface RenewalParts {
  readonly renew: (org: string, held: readonly HeldLease[]) => Promise<RenewAnswer[]>;
  readonly lifecycle: Lifecycle;
  readonly wheel: TimerWheel;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly leaseTtlMs: number;
  readonly renewEveryMs: number;
  readonly jeopardyGraceMs: number;
}

/** Larger batches gain nothing and hold Redis for longer. */
const BATCH = 100;
/** A tenth of the TTL is left unused, for clocks that run at different speeds. */
const MARGIN = 0.1;
const RETRY_MS = 1000;

/** Keeps the leases of this node, and stops counting on those that it cannot confirm (promises 5 and 6). */
export class Renewals {
  readonly #due = new Map<string, Session[]>();
  #flushing = false;

  constructor(private readonly parts: RenewalParts) {}

  /** Until when a lease confirmed by a command sent at `sentMs` may be counted on (promise 6). */
  deadlineFrom(sentMs: number): number {
    return sentMs + this.parts.leaseTtlMs * (1 - MARGIN);
  }

  /** Time left on a session's lease as this node knows it, for the client. */
  leftMs(session: Session): number {
    return Math.max(0, Math.floor(session.deadlineMs - this.parts.clock()));
  }

  /** Begins to renew; the first time somewhere in the second half of an interval, to spread the load. */
  track(session: Session): void {
    this.#schedule(session, this.parts.renewEveryMs * (0.5 + this.parts.random() / 2));
  }

  /** Redis is to know something of it before its next renewal is due. */
  soon(session: Session): void {
    if (session.isLive) this.#schedule(session, 0);
  }

  /** Notices may have been missed: asks Redis about every session, or those of one org, soon, spread over `withinMs`. */
  verifyAll(withinMs: number, org?: string): void {
    for (const session of this.parts.lifecycle.sessions.all()) {
      if (session.isLive && (org === undefined || session.org === org))
        this.#schedule(session, this.parts.random() * withinMs);
    }
  }

  #schedule(session: Session, delayMs: number): void {
    session.renewalTimer?.cancel();
    session.renewalTimer = this.parts.wheel.after(delayMs, () => this.#comeDue(session));
  }

  #comeDue(session: Session): void {
    if (!session.isLive) return;
    if (session.link.isSilent()) {
      // [broker-no-pong]
      session.link.end('no_pong');
      return;
    }
    if (session.isLeaving) {
      this.#schedule(session, RETRY_MS);
      return;
    }
    if (this.#outlived(session)) {
      this.parts.lifecycle.fence(session);
      return;
    }
    const sessions = this.#due.get(session.org);
    if (sessions === undefined) this.#due.set(session.org, [session]);
    else sessions.push(session);
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    const due = [...this.#due];
    this.#due.clear();
    for (const [org, sessions] of due) {
      for (let from = 0; from < sessions.length; from += BATCH) {
        void this.#renewBatch(org, sessions.slice(from, from + BATCH));
      }
    }
  }

  async #renewBatch(org: string, batch: readonly Session[]): Promise<void> {
    const live = batch.filter((session) => session.isLive);
    const sentMs = this.parts.clock();
    const held = live.map((session) => withIdle(session, sentMs));
    const activeAtMs = live.map((session) => session.activeAtMs);
    try {
      const answers = await this.parts.renew(org, held);
      live.forEach((session, index) => {
        const answer = answers[index];
        if (answer !== undefined) this.#apply(session, answer, sentMs);
        if (answer?.outcome === 'kept') session.activeToldMs = activeAtMs[index] ?? null;
      });
    } catch (error) {
      this.#fail(org, live, error);
    }
  }

  #fail(org: string, sessions: readonly Session[], error: unknown): void {
    const reason = String((error as Error).cause ?? error);
    // It is tried again each second: only the first failure of a session is news.
    const level = sessions.some(({ state }) => state === 'active') ? 'warn' : 'debug';
    this.parts.log[level]({ org, sessions: sessions.length, reason }, 'renewal failed');
    for (const session of sessions) this.#endanger(session);
  }

  #apply(session: Session, answer: RenewAnswer, sentMs: number): void {
    if (answer.outcome === 'failed') {
      this.#fail(session.org, [session], answer.cause);
      return;
    }
    this.parts.metrics.renewals.inc({ outcome: answer.outcome });
    // A re-assertion may have put back among the sharers who had just been taken out.
    if (session.state === 'ended' && answer.outcome === 'kept') this.parts.lifecycle.mayHaveToGo(session);
    if (!session.isLive || session.isLeaving) return;
    if (answer.outcome === 'lost') {
      // The others began anew while Redis was away: the program joins them when it comes back.
      if (session.isShared && answer.reason === 'superseded') {
        this.parts.lifecycle.fence(session);
        return;
      }
      const { reason, by, epoch, nowMs } = answer;
      this.parts.lifecycle.evict(session, { reason, by, at: nowMs, epoch }, 'renewal');
      return;
    }
    session.deadlineMs = this.deadlineFrom(sentMs);
    if (answer.outcome === 'kept' && answer.raised === null) session.isShared = answer.isShared === true;
    if (answer.raised !== null) session.raise(answer.raised);
    if (session.state === 'jeopardy') {
      session.state = 'active';
      session.link.send({ type: 'recovered' });
    }
    session.link.pingWith({ type: 'lease', epoch: session.epoch, ttlMs: this.leftMs(session) });
    this.#schedule(session, this.parts.renewEveryMs);
  }

  #endanger(session: Session): void {
    this.parts.metrics.renewals.inc({ outcome: 'failed' });
    if (!session.isLive) return;
    // At the end of this time #comeDue finds it outlived.
    const leftMs = Math.max(0, session.deadlineMs + this.parts.jeopardyGraceMs - this.parts.clock());
    if (session.state === 'active') {
      session.state = 'jeopardy';
      this.parts.metrics.jeopardies.inc();
      session.link.pingWith({ type: 'jeopardy', graceMs: Math.floor(leftMs) });
    }
    this.#schedule(session, Math.min(leftMs, RETRY_MS * (0.5 + this.parts.random())));
  }

  #outlived(session: Session): boolean {
    return this.parts.clock() >= session.deadlineMs + this.parts.jeopardyGraceMs;
  }
}

/** The lease, and where somebody was at work since Redis was last told, how long ago that was. */
function withIdle(session: Session, nowMs: number): HeldLease {
  const lease = session.lease();
  const { activeAtMs } = session;
  if (activeAtMs === null || activeAtMs === session.activeToldMs) return lease;
  return { ...lease, idleMs: Math.max(0, Math.round(nowMs - activeAtMs)) };
}
