import type { WelcomeMessage } from '#client/protocol/messages.js';
import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { TimerWheel } from '../base/timer-wheel.js';
import type { Leases } from '../store/leases.js';
import type { Lifecycle } from './lifecycle.js';
import type { Renewals } from './renewals.js';
import type { Session } from './session.js';

export interface IdleWatchParts {
  readonly wheel: TimerWheel;
  readonly clock: Clock;
  readonly leases: Pick<Leases, 'endIdle'>;
  /** For how long nobody has been at work, as far as Redis knows; null: nobody tells. */
  readonly idleMsOf: (org: string, user: string) => Promise<number | null>;
  readonly renewals: Pick<Renewals, 'soon'>;
  readonly lifecycle: Lifecycle;
  readonly log: Log;
}

const LONGEST_WARNING_MS = 15 * 60_000;
const LONGEST_REPORT_MS = 60_000;
/** While Redis is out of reach nobody else gets the seat: there is no hurry. */
const RETRY_MS = 1000;
/** However often a program tells that somebody is at work. */
const HASTENED_EVERY_MS = 1000;

/** What a client is told of an idle limit: it is warned for the last quarter of it, of at most 15 minutes. */
export function idleTerms(limitMs: number): NonNullable<WelcomeMessage['idle']> {
  const warnMs = Math.min(Math.floor(limitMs / 4), LONGEST_WARNING_MS);
  // So often that a report is never what decides between a warning and none.
  return { limitMs, warnMs, reportEveryMs: Math.min(Math.ceil(warnMs / 4), LONGEST_REPORT_MS) };
}

/**
 * Ends sessions at which nobody is at work for longer than the org allows, after a warning. Only programs that tell how
 * long that is are watched: an older one must not be ended for saying nothing [broker-idle-told].
 */
export class IdleWatch {
  constructor(private readonly parts: IdleWatchParts) {}

  /** `idleMs`: how long nobody had been at work when `hello` was sent. Null for the limit: there is none. */
  watch(session: Session, idleMs: number, limitMs: number | null): void {
    session.activeAtMs = this.parts.clock() - idleMs;
    // The claim has told it.
    session.activeToldMs = session.activeAtMs;
    if (limitMs !== null) this.#look(session, limitMs, 'unwarned');
  }

  /** Somebody was at work so long ago. An older report than the last one changes nothing. */
  active(session: Session, idleMs: number): void {
    if (session.activeAtMs === null) return;
    session.activeAtMs = Math.max(session.activeAtMs, this.parts.clock() - idleMs);
    // The other programs that share the session may be about to end it.
    const nowMs = this.parts.clock();
    if (!session.isShared || nowMs - session.hastenedMs < HASTENED_EVERY_MS) return;
    session.hastenedMs = nowMs;
    this.parts.renewals.soon(session);
  }

  /** Somebody may be at work at another program that shares the session: looks there first, then acts. */
  async #lookAround(session: Session, limitMs: number, state: 'unwarned' | 'warned'): Promise<void> {
    try {
      this.#learn(session, await this.parts.idleMsOf(session.org, session.user));
    } catch (error) {
      this.parts.log.debug(
        { org: session.org, reason: String(error) },
        'not known whether anybody is at work',
      );
    }
    this.#act(session, limitMs, state);
  }

  #learn(session: Session, idleMs: number | null): void {
    if (session.activeAtMs === null || idleMs === null) return;
    session.activeAtMs = Math.max(session.activeAtMs, this.parts.clock() - idleMs);
  }

  /** Waits for the warning, or after it for the end; whoever was at work meanwhile has more time. */
  #look(session: Session, limitMs: number, state: 'unwarned' | 'warned'): void {
    const { warnMs } = idleTerms(limitMs);
    const isNear = session.activeAtMs !== null && session.activeAtMs + limitMs - this.parts.clock() <= warnMs;
    if (session.isShared && isNear) void this.#lookAround(session, limitMs, state);
    else this.#act(session, limitMs, state);
  }

  #act(session: Session, limitMs: number, state: 'unwarned' | 'warned'): void {
    if (!session.isLive || session.activeAtMs === null) return;
    const { warnMs } = idleTerms(limitMs);
    const leftMs = Math.ceil(session.activeAtMs + limitMs - this.parts.clock());
    if (leftMs > warnMs) {
      this.#after(session, leftMs - warnMs, () => this.#look(session, limitMs, 'unwarned'));
    } else if (leftMs > 0) {
      if (state === 'unwarned') session.link.send({ type: 'idle_warning', inMs: leftMs });
      this.#after(session, leftMs, () => this.#look(session, limitMs, 'warned'));
    } else void this.#end(session, limitMs);
  }

  #after(session: Session, ms: number, act: () => void): void {
    session.idleTimer?.cancel();
    session.idleTimer = this.parts.wheel.after(ms, act);
  }

  /** The seat in Redis first: what ends is this very grant, or nothing (promise 1). */
  async #end(session: Session, limitMs: number): Promise<void> {
    const { leases, lifecycle, log } = this.parts;
    const lease = session.lease();
    try {
      const ended = await leases.endIdle(lease, limitMs);
      if (ended !== null && 'idleMs' in ended) {
        this.#learn(session, ended.idleMs);
        if (session.isLive) this.#after(session, RETRY_MS, () => this.#look(session, limitMs, 'unwarned'));
        return;
      }
      // Another grant has the seat by now: its notice, or the next renewal, tells. Or a leave is being turned back.
      if (ended === null) {
        if (session.isLive) this.#after(session, RETRY_MS, () => this.#look(session, limitMs, 'warned'));
        return;
      }
      lifecycle.evict(
        session,
        { reason: 'idle_timeout', by: null, at: ended.nowMs, epoch: ended.byEpoch },
        'local',
      );
    } catch (error) {
      log.warn({ org: session.org, reason: String(error) }, 'idle session not ended yet');
      if (session.isLive) this.#after(session, RETRY_MS, () => this.#look(session, limitMs, 'warned'));
    }
  }
}
