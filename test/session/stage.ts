import type { CloseReason } from '../../packages/client/src/protocol/close-codes.js';
import type { ServerMessage } from '../../packages/client/src/protocol/messages.js';
import { createLog } from '../../src/base/log.js';
import { createMetrics } from '../../src/base/metrics.js';
import { TimerWheel } from '../../src/base/timer-wheel.js';
import { Tracing } from '../../src/base/tracing.js';
import { Evictions } from '../../src/session/evictions.js';
import type { Link } from '../../src/session/link.js';
import { Registry } from '../../src/session/registry.js';
import { Renewals } from '../../src/session/renewals.js';
import { Session } from '../../src/session/session.js';
import { Story } from '../../src/session/story.js';
import type { HeldLease, RenewAnswer } from '../../src/store/lease-types.js';

export const TTL_MS = 30_000;
export const RENEW_EVERY_MS = 10_000;
const TICK_MS = 20;

export const kept: RenewAnswer = { outcome: 'kept', raised: null };

/** A connection that remembers what it was told. */
export class HeardLink implements Link {
  readonly address = '127.0.0.1';
  readonly heard: ServerMessage[] = [];
  ended: CloseReason | null = null;
  isMute = false;

  send(message: ServerMessage): void {
    this.heard.push(message);
  }

  pingWith(message: ServerMessage | null): void {
    if (message !== null) this.heard.push(message);
  }

  isSilent(): boolean {
    return this.isMute;
  }

  end(reason: CloseReason, notice?: ServerMessage): void {
    if (notice !== undefined) this.heard.push(notice);
    this.ended ??= reason;
  }
}

/** The parts of a node that keep its leases, with the clock in the test's hand and a store that answers as told. */
export class Stage {
  nowMs = 1_000_000;
  /** How the store answers, and when each of its orders was sent. */
  renew: (held: readonly HeldLease[]) => Promise<RenewAnswer[]> = async (held) => held.map(() => kept);
  readonly sentMs: number[] = [];
  readonly clock = () => this.nowMs;
  readonly metrics = createMetrics();
  readonly log = createLog('silent', 'test');
  readonly registry = new Registry();
  readonly story = new Story(this.log, 'hashed');
  readonly evictions = new Evictions({
    registry: this.registry,
    story: this.story,
    metrics: this.metrics,
    tracing: new Tracing(),
    redisNowMs: () => null,
  });
  readonly wheel = new TimerWheel(this.clock, TICK_MS, (error) => {
    throw error;
  });
  readonly renewals: Renewals;

  constructor({ jeopardyGraceMs = 0 } = {}) {
    const { registry, evictions, wheel, clock, log, story, metrics } = this;
    this.renewals = new Renewals({
      registry,
      evictions,
      wheel,
      clock,
      log,
      story,
      metrics,
      jeopardyGraceMs,
      renew: (_org, held) => {
        this.sentMs.push(this.nowMs);
        return this.renew(held);
      },
      // The first renewal at three quarters of an interval, a retry after a second.
      random: () => 0.5,
      leaseTtlMs: TTL_MS,
      renewEveryMs: RENEW_EVERY_MS,
    });
  }

  /** A session that was granted by a claim sent just now. */
  seat(user = 'ada'): { readonly session: Session; readonly link: HeardLink } {
    const link = new HeardLink();
    const session = new Session(
      { org: 'acme', user, sessionId: `session-of-${user}`, machine: { id: 'pc' } },
      link,
    );
    this.registry.add(session);
    const { sessionId } = session;
    session.grant({ sessionId, epoch: 7, rank: 7, sinceMs: 0 }, this.renewals.deadlineFrom(this.nowMs));
    this.renewals.track(session);
    return { session, link };
  }

  /** Time passes tick by tick, and what came due has been done at each. */
  async pass(ms: number): Promise<void> {
    for (const untilMs = this.nowMs + ms; this.nowMs < untilMs; ) {
      this.nowMs = Math.min(untilMs, this.nowMs + TICK_MS);
      this.wheel.advance();
      // A batch is sent in the turn after it came due, and answered in the one after that.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
