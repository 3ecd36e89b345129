import { pino } from 'pino';
import type { CloseReason } from '../../packages/client/src/protocol/close-codes.js';
import type { ServerMessage } from '../../packages/client/src/protocol/messages.js';
import { createMetrics } from '../../src/base/metrics.js';
import { TimerWheel } from '../../src/base/timer-wheel.js';
import { Tracing } from '../../src/base/tracing.js';
import { Lifecycle } from '../../src/session/lifecycle.js';
import type { Link } from '../../src/session/link.js';
import { Renewals } from '../../src/session/renewals.js';
import type { Session } from '../../src/session/session.js';
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

  get isEnded(): boolean {
    return this.ended !== null;
  }

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
  /** What was logged, by message and reason. */
  readonly lines: string[] = [];
  readonly log = pino({}, { write: (line) => this.lines.push(summaryOf(JSON.parse(line))) });
  /** How the store answers who gives a seat back. */
  release: (lease: HeldLease) => Promise<boolean> = async () => true;
  readonly lifecycle = new Lifecycle({
    release: (lease) => this.release(lease),
    onSharerLost: () => {},
    redisNowMs: () => null,
    logUsers: 'hashed',
    log: this.log,
    metrics: this.metrics,
    tracing: new Tracing(),
  });
  readonly wheel = new TimerWheel(this.clock, TICK_MS, (error) => {
    throw error;
  });
  readonly renewals: Renewals;

  constructor({ jeopardyGraceMs = 0 } = {}) {
    const { lifecycle, wheel, clock, log, metrics } = this;
    this.renewals = new Renewals({
      lifecycle,
      wheel,
      clock,
      log,
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
    const claimant = { org: 'acme', user, sessionId: `session-of-${user}`, machine: { id: 'pc' }, token: {} };
    const session = this.lifecycle.begin(claimant, link);
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

function summaryOf({ msg, reason }: { readonly msg: string; readonly reason?: string }): string {
  return reason === undefined ? msg : `${msg}: ${reason}`;
}
