import type { Log } from '../base/log.js';
import type { Metrics } from '../base/metrics.js';
import type { Tracing } from '../base/tracing.js';
import type { EvictedMessage, Machine } from '../protocol/messages.js';
import type { EvictionReason } from '../store/lease-types.js';
import type { ContestedNotice, EndedNotice } from '../store/notices.js';
import type { Registry } from './registry.js';
import type { Session } from './session.js';

/** How this node learned that a session had ended. */
export type EvictionPath = 'local' | 'pubsub' | 'renewal';

export interface Ending {
  readonly reason: EvictionReason;
  readonly by: Machine | null;
  /** Unix ms by Redis's clock. */
  readonly at: number;
  readonly epoch: number;
}

/** Ends sessions from outside: each exactly once, whichever path tells first (promises 4 and 5). */
export class Evictions {
  constructor(
    private readonly parts: {
      readonly registry: Registry;
      readonly log: Log;
      readonly metrics: Metrics;
      readonly tracing: Tracing;
      readonly redisNowMs: () => number | null;
    },
  ) {}

  /** A notice: acted on only where sessionId and epoch are those of a session here (promise 1). */
  receive(notice: EndedNotice, path: EvictionPath): void {
    const ending = { reason: notice.reason, by: notice.by, at: notice.at, epoch: notice.byEpoch };
    for (const session of [...this.parts.registry.of(notice.org, notice.user)]) {
      if (session.state === 'claiming') session.earlyNotices = [...session.earlyNotices, notice];
      else if (session.isGrant(notice)) this.end(session, ending, path);
    }
  }

  /** The holder keeps the seat, and is told that somebody fights for it: both sides are (`flapping`). */
  contested(notice: ContestedNotice): void {
    const { org, user, by } = notice;
    const message = `${by.name ?? 'Another machine'} keeps taking this seat; a person must act.`;
    for (const session of this.parts.registry.of(org, user)) {
      if (session.isLive && session.isGrant(notice))
        session.link.send({ type: 'error', code: 'flapping', message });
    }
  }

  /** Whether the grant just made was ended before anybody here knew of it; then it is told. */
  endedEarly(session: Session): boolean {
    const notice = session.earlyNotices.find((one) => session.isGrant(one));
    if (notice === undefined) return false;
    this.end(
      session,
      { reason: notice.reason, by: notice.by, at: notice.at, epoch: notice.byEpoch },
      'pubsub',
    );
    return true;
  }

  end(session: Session, ending: Ending, path: EvictionPath): void {
    if (session.state === 'ended') return;
    const { registry, log, metrics, tracing, redisNowMs } = this.parts;
    const { org, sessionId, epoch } = session;
    session.markEnded();
    registry.remove(session);
    const sinceEnding = (latency: Metrics['evictionSeconds']) => {
      const nowMs = redisNowMs();
      if (nowMs !== null) latency.observe(Math.max(0, nowMs - ending.at) / 1000);
    };
    const trace = tracing.begin('evict', {
      org,
      sessionId,
      epoch,
      byEpoch: ending.epoch,
      reason: ending.reason,
      path,
    });
    session.link.end(ending.reason, evictedMessage(ending), (isAnswered) => {
      if (isAnswered) sinceEnding(metrics.evictionReceiptSeconds);
      trace?.end({ isAnswered });
    });
    metrics.evictions.inc({ reason: ending.reason, path });
    sinceEnding(metrics.evictionSeconds);
    log.info(
      { org, sessionId, epoch, reason: ending.reason, path, byEpoch: ending.epoch },
      'session evicted',
    );
  }
}

function evictedMessage(ending: Ending): EvictedMessage {
  const { reason, by, at, epoch } = ending;
  if (by === null) return { type: 'evicted', reason, at, epoch };
  // The name only: with the winner's machine id the loser could pose as the winner's machine.
  const machine = by.name === undefined ? {} : { name: by.name };
  return { type: 'evicted', reason, by: { machine }, at, epoch };
}
