import type { EvictedMessage } from '#client/protocol/messages.js';
import type { Log } from '../base/log.js';
import type { Metrics } from '../base/metrics.js';
import type { Trace, Tracing } from '../base/tracing.js';
import type { ClaimAnswer, HeldLease } from '../store/lease-types.js';
import type { ContestedNotice, EndedNotice, SharedNotice } from '../store/notices.js';
import type { Ending, EvictionPath } from './ending.js';
import type { Link } from './link.js';
import { Registry } from './registry.js';
import { type Claimant, Session } from './session.js';
import { Story, type UsersInLog } from './story.js';

/** What is needed to take a program out of a session that it shared. */
export type Gone = Pick<HeldLease, 'org' | 'user' | 'sessionId' | 'connection' | 'instance'>;

type Granted = Extract<ClaimAnswer, { outcome: 'granted' }>;

/** The claim that ended a session: its trace, here or, as text, at another node. */
type Cause = Trace | string | null;

export interface LifecycleParts {
  readonly release: (lease: HeldLease) => Promise<boolean>;
  /** A program that shares its session is gone, and may still be counted among those that do. */
  readonly onSharerLost: (gone: Gone) => void;
  readonly redisNowMs: () => number | null;
  readonly logUsers: UsersInLog;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
}

/** The one place where a session of this node begins and ends: it alone changes the registry and writes the log lines. */
export class Lifecycle {
  readonly #registry = new Registry();
  readonly #story: Story;
  /** The sessions of this node, to look at. */
  readonly sessions: Pick<Registry, 'all' | 'counts' | 'of' | 'size'> = this.#registry;

  constructor(private readonly parts: LifecycleParts) {
    this.#story = new Story(parts.log, parts.logUsers);
  }

  /** Before the claim: an early notice must find somebody. */
  begin(claimant: Claimant, link: Link): Session {
    const session = new Session(claimant, link);
    this.#registry.add(session);
    return session;
  }

  granted(session: Session, answer: Granted, deadlineMs: number): void {
    session.grant(answer, deadlineMs);
    if (!answer.isAhead) return;
    this.parts.metrics.lostGrants.inc();
    this.#story.lostGrantShown(session);
  }

  welcomed(session: Session, answer: Granted): void {
    this.#story.granted(session, answer);
  }

  refused(session: Session, answer: Exclude<ClaimAnswer, { outcome: 'granted' }>): void {
    this.#story.refused(session, answer);
    this.drop(session);
  }

  claimFailed(session: Session, cause: unknown): void {
    this.#story.claimFailed(session, cause);
    this.drop(session);
  }

  /** Ends without a word a session that its client has not heard of. Its lease, if it has one, waits for a resume. */
  drop(session: Session): void {
    session.markEnded();
    this.#registry.remove(session);
  }

  /** The connection ended before its client could hear of the grant: the seat waits for a resume. */
  abandon(session: Session): void {
    if (session.isLive) this.mayHaveToGo(session);
    this.drop(session);
  }

  /** The connection has ended: the seat waits for a resume. Says nothing of a session that has ended before. */
  disconnected(session: Session, reason: string): void {
    if (session.isLive) this.#story.lostConnection(session, reason);
    if (session.isLive) this.mayHaveToGo(session);
    this.drop(session);
  }

  /** The connection of this program is no more: if it does not come back, the others hold the session without it. */
  mayHaveToGo(session: Session): void {
    if (session.isShared) this.parts.onSharerLost(session.lease());
  }

  /** Another program of the machine has joined; also before the grant here is known, or after its connection was lost. */
  shared({ org, user, sessionId, connection, instance }: SharedNotice): void {
    const session = this.#registry.of(org, user).find((one) => one.connection === connection);
    if (session !== undefined) session.isShared = true;
    else this.parts.onSharerLost({ org, user, sessionId, connection, instance });
  }

  /** The seat was taken along: no node holds it any more. */
  departed(session: Session): void {
    this.drop(session);
    this.#story.departed(session);
  }

  /** The client wants the seat no more. Never rejects: a seat that cannot be given back ends with its TTL. */
  async giveBack(session: Session): Promise<void> {
    // At once: a renewal still under way must not report the seat as lost to somebody who gives it back.
    this.drop(session);
    try {
      await this.parts.release(session.lease());
      this.#story.released(session);
    } catch (error) {
      this.#story.releaseFailed(session, error);
      this.mayHaveToGo(session);
    }
  }

  /** The lease could not be confirmed in time (promise 6). */
  fence(session: Session): void {
    this.#story.fencedItself(session);
    session.link.end('lease_lost');
  }

  /** A notice: acted on only where sessionId and epoch are those of a session here (promise 1). */
  receive(notice: EndedNotice, path: EvictionPath, cause: Cause = notice.trace): void {
    for (const session of [...this.#registry.of(notice.org, notice.user)]) {
      if (session.state === 'claiming') session.earlyNotices = [...session.earlyNotices, notice];
      else if (session.isGrant(notice)) this.evict(session, endingOf(notice), path, cause);
    }
  }

  /** Whether the grant just made was ended before anybody here knew of it; then it is told. */
  endedEarly(session: Session): boolean {
    const notice = session.earlyNotices.find((one) => session.isGrant(one));
    if (notice === undefined) return false;
    this.evict(session, endingOf(notice), 'pubsub', notice.trace);
    return true;
  }

  /** The holder keeps the seat, and is told that somebody fights for it: both sides are (`flapping`). */
  contested({ org, user, by, ...grant }: ContestedNotice): void {
    const message = `${by.name ?? 'Another machine'} keeps taking this seat; a person must act.`;
    for (const session of this.#registry.of(org, user)) {
      if (session.isLive && session.isGrant(grant))
        session.link.send({ type: 'error', code: 'flapping', message });
    }
  }

  /** Ends a session from outside: exactly once, whichever path tells first (promises 4 and 5). */
  evict(session: Session, ending: Ending, path: EvictionPath, cause: Cause = null): void {
    if (session.state === 'ended') return;
    const { metrics, tracing, redisNowMs } = this.parts;
    const { org, sessionId, epoch } = session;
    this.drop(session);
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
    this.#story.evicted(session, ending, path);
  }
}

function endingOf({ reason, by, at, byEpoch }: EndedNotice): Ending {
  return { reason, by, at, epoch: byEpoch };
}

function evictedMessage(ending: Ending): EvictedMessage {
  const { reason, by, at, epoch } = ending;
  if (by === null) return { type: 'evicted', reason, at, epoch };
  // The name only: with the winner's machine id the loser could pose as the winner's machine.
  const machine = by.name === undefined ? {} : { name: by.name };
  return { type: 'evicted', reason, by: { machine }, at, epoch };
}
