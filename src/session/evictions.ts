import type { EvictedMessage } from '#client/protocol/messages.js';
import type { Metrics } from '../base/metrics.js';
import type { Trace, Tracing } from '../base/tracing.js';
import type { ContestedNotice, EndedNotice } from '../store/notices.js';
import type { Ending, EvictionPath } from './ending.js';
import type { Registry } from './registry.js';
import type { Session } from './session.js';
import type { Story } from './story.js';

/** The claim that ended a session: its trace, here or, as text, at another node. */
type Cause = Trace | string | null;

/** Ends sessions from outside: each exactly once, whichever path tells first (promises 4 and 5). */
export class Evictions {
  constructor(
    private readonly parts: {
      readonly registry: Registry;
      readonly story: Story;
      readonly metrics: Metrics;
      readonly tracing: Tracing;
      readonly redisNowMs: () => number | null;
    },
  ) {}

  /** A notice: acted on only where sessionId and epoch are those of a session here (promise 1). */
  receive(notice: EndedNotice, path: EvictionPath, cause: Cause = notice.trace): void {
    const ending = { reason: notice.reason, by: notice.by, at: notice.at, epoch: notice.byEpoch };
    for (const session of [...this.parts.registry.of(notice.org, notice.user)]) {
      if (session.state === 'claiming') session.earlyNotices = [...session.earlyNotices, notice];
      else if (session.isGrant(notice)) this.end(session, ending, path, cause);
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
      notice.trace,
    );
    return true;
  }

  end(session: Session, ending: Ending, path: EvictionPath, cause: Cause = null): void {
    if (session.state === 'ended') return;
    const { registry, story, metrics, tracing, redisNowMs } = this.parts;
    const { org, sessionId, epoch } = session;
    session.markEnded();
    registry.remove(session);
    const sinceEnding = (latency: Metrics['evictionSeconds']) => {
      const nowMs = redisNowMs();
      if (nowMs !== null) latency.observe(Math.max(0, nowMs - ending.at) / 1000);
    };
    const facts = { org, sessionId, epoch, byEpoch: ending.epoch, reason: ending.reason, path };
    const trace = tracing.begin('evict', facts, cause);
    session.link.end(ending.reason, evictedMessage(ending), (isAnswered) => {
      if (isAnswered) sinceEnding(metrics.evictionReceiptSeconds);
      trace?.end({ isAnswered });
    });
    metrics.evictions.inc({ reason: ending.reason, path });
    sinceEnding(metrics.evictionSeconds);
    story.evicted(session, ending, path);
  }
}

function evictedMessage(ending: Ending): EvictedMessage {
  const { reason, by, at, epoch } = ending;
  if (by === null) return { type: 'evicted', reason, at, epoch };
  // The name only: with the winner's machine id the loser could pose as the winner's machine.
  const machine = by.name === undefined ? {} : { name: by.name };
  return { type: 'evicted', reason, by: { machine }, at, epoch };
}
