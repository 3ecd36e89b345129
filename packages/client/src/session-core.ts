import { platformClock } from './clock.js';
import {
  type FoundSocket,
  forgetError,
  LEFT,
  NO_CLOSE_FRAME,
  type Seen,
  type WebSocketClass,
} from './connection.js';
import { Dialler } from './dialler.js';
import { causeOf, type Ending, endingOf, endsForGood, sentenceFor } from './endings.js';
import { type ClientState, Emitter } from './events.js';
import { IdleReport } from './idle-report.js';
import type { LeaseClock } from './lease-clock.js';
import { LeaseWatch } from './lease-watch.js';
import type { ConnectOptions } from './options.js';
import type { PendingRelease } from './pending-release.js';
import type {
  ConflictMessage,
  ErrorMessage,
  EvictedMessage,
  ResumeRequest,
  ServerMessage,
  WelcomeMessage,
} from './protocol/messages.js';

export const RELEASED = 1000;

/** What a client is, and what it does at each message and loss. `SessionClient` is its face. */
export class SessionCore {
  protected readonly emitter = new Emitter();
  protected readonly watch: LeaseWatch;
  protected readonly dialler: Dialler;
  protected readonly idle = new IdleReport((message) => this.dialler.send(message));
  protected session: ResumeRequest | null = null;
  protected releasing: PendingRelease | null = null;
  /** The program gave the seat back, or left: only a take-over begins anew. */
  protected hasLeft = false;

  /** Use `connect`. */
  constructor(
    private readonly options: ConnectOptions,
    socketClass: WebSocketClass | Promise<FoundSocket>,
  ) {
    this.watch = new LeaseWatch({
      clock: options.clock ?? platformClock,
      onExpired: (deadline) => this.leaseRanOut(deadline),
      onBehind: () =>
        this.dialler.giveUp({ kind: 'silence', message: 'What the broker says comes too late.' }),
    });
    this.dialler = new Dialler({
      options,
      socketClass,
      resume: () => this.session,
      onHello: () => this.lease.connected(),
      onDisconnected: () => this.disconnected(),
      onMessage: (message, seen) => this.receive(message, seen),
      onLost: (code, reason, seen) => this.lost(code, reason, seen),
      onUntrusted: (message) => {
        const code = 'untrusted_broker';
        this.emitter.emit('error', { code, message });
        // A person may try again: perhaps the network was another one. [untrusted-final]
        this.finish('denied', LEFT, code, { error: { message } });
      },
      onFault: (fault) => this.emitter.emit('error', fault),
      onUnusable: () => this.finish('closed', NO_CLOSE_FRAME, 'no socket'),
    });
    if (options.onTakeoverRequested !== undefined)
      this.emitter.on('takeoverRequested', options.onTakeoverRequested);
    this.dialler.dial(options.onConflict ?? 'takeover');
  }

  get state(): ClientState {
    return this.emitter.state;
  }

  protected hasSeat(): boolean {
    return this.state === 'active' || this.state === 'jeopardy';
  }

  protected isOver(): boolean {
    const ended = this.state === 'closed' || this.state === 'evicted' || this.state === 'denied';
    return ended && this.dialler.seen === null;
  }

  protected get lease(): LeaseClock {
    return this.watch.lease;
  }

  private disconnected(): void {
    this.idle.stop();
    this.lease.disconnected();
    this.watch.look();
  }

  private receive(message: ServerMessage, seen: Seen): void {
    const lateMs = this.lease.heard(message, this.releasing === null && !this.isOutdated(message));
    this.tell(message, seen, lateMs);
    this.watch.look();
  }

  /** A renewal of a grant before the latest one. */
  private isOutdated(message: ServerMessage): boolean {
    return message.type === 'lease' && (this.session === null || message.epoch < this.session.epoch);
  }

  private tell(message: ServerMessage, seen: Seen, lateMs: number): void {
    switch (message.type) {
      case 'welcome':
        this.welcomed(message);
        break;
      case 'lease':
        if (this.releasing === null && !this.isOutdated(message)) this.renewed(message.epoch);
        break;
      case 'evicted':
        this.evicted(message, seen);
        break;
      case 'conflict':
        this.refusedFor(message, seen);
        break;
      case 'jeopardy':
        if (this.state === 'active') this.emitter.become('jeopardy');
        this.emitter.emit('jeopardy', { graceMs: message.graceMs });
        break;
      case 'recovered':
        if (this.state === 'jeopardy') this.emitter.become('active');
        this.emitter.emit('recovered', {});
        break;
      case 'token_expiring':
        this.dialler.refresh(); // [refresh]
        break;
      case 'seat_free':
        if (this.state === 'conflict') this.emitter.emit('seatFree', {});
        break;
      case 'idle_warning': {
        const [inMs, deadline] = left(message.inMs, lateMs);
        this.idle.warned();
        this.emitter.emit('idleWarning', { inMs, deadline });
        break;
      }
      case 'takeover_requested': {
        // The seat stays here until `evicted`, whatever is answered. [ask-keeps-seat]
        const [answerWithinMs, deadline] = left(message.answerWithinMs, lateMs);
        if (this.hasSeat())
          this.emitter.emit('takeoverRequested', { by: message.by, answerWithinMs, deadline });
        break;
      }
      case 'left': {
        const forMs = Math.floor(left(message.forMs, lateMs)[0]);
        this.hasLeft = true;
        this.emitter.emit('left', { ticket: message.ticket, forMs });
        // The next hello of this machine would end the leave. [left-final]
        this.finish('closed', RELEASED, 'left');
        break;
      }
      case 'takeover_withdrawn':
        this.emitter.emit('takeoverWithdrawn', {});
        break;
      case 'ask_refused':
        seen.isAsking = false;
        this.emitter.emit('askRefused', {}); // [ask-refused]
        break;
      case 'draining':
        seen.drainWithinMs = message.reconnectWithinMs;
        break;
      case 'error':
        this.refused(message, seen);
        break;
    }
  }

  private welcomed(message: WelcomeMessage): void {
    this.dialler.answered();
    this.session = { sessionId: message.sessionId, epoch: message.epoch }; // [resumed-false]
    // The release was sent behind the hello: the broker gives the seat back right after this grant.
    if (this.releasing !== null) return;
    if (this.options.idleMs !== undefined) this.idle.begin(message.idle?.reportEveryMs);
    this.watch.held();
    this.emitter.become('active');
    this.emitter.emit('welcome', message);
    if (this.dialler.endLeave()) this.emitter.emit('leaveEnded', {});
  }

  private renewed(epoch: number): void {
    const { session } = this;
    if (session === null) return;
    // promise 8: a lease that was re-asserted may come back with a higher epoch.
    this.session = { sessionId: session.sessionId, epoch };
    // promise 15: one that lay unread is no news of the seat, and no sign that the connection is well.
    const { deadline } = this.watch;
    if (deadline === null || !this.lease.holds()) return;
    if (!this.lease.mustResume()) this.dialler.steady(); // [backoff-reset]
    this.watch.held();
    const ttlMs = Math.max(0, Math.floor(deadline - performance.now()));
    this.emitter.emit('lease', { epoch, ttlMs, deadline });
  }

  /** Another machine has the seat. The connection stays open: a person may choose to take over. */
  private refusedFor({ type: _, elapsedMs: __, ...conflict }: ConflictMessage, seen: Seen): void {
    this.dialler.answered();
    this.forget();
    this.emitter.become('conflict'); // [conflict-lost] [conflict-wait]
    forgetError(seen); // [error-without-close]
    seen.claiming = undefined;
    seen.isAsking = conflict.asking === true;
    if (seen.wantsSeat) this.claim('seat');
    this.emitter.emit('conflict', conflict);
  }

  /** promise 4: told at once, not only when the close has come. */
  private evicted(message: EvictedMessage, seen: Seen): void {
    seen.evicted = message; // [evicted-at-once] [evicted-first]
    const { type: _, ...eviction } = message;
    if (endsForGood(message.reason)) this.session = null;
    this.clearLease();
    this.emitter.become('evicted');
    this.emitter.emit('evicted', eviction);
  }

  private refused(message: ErrorMessage, seen: Seen): void {
    seen.error = message;
    // A take-over that was refused may be tried again.
    seen.claiming = undefined;
    seen.wantsSeat = false;
    const { retryAfterMs } = message;
    if (typeof retryAfterMs === 'number') {
      // Nobody closes for a refresh that came too early: the session goes on. [refresh-not-yet]
      if (message.code === 'token_not_yet_accepted' && this.hasSeat())
        this.dialler.refreshAgain(retryAfterMs);
      else seen.retryAfterMs = retryAfterMs;
    }
    const { type: _, ...refusal } = message;
    this.emitter.emit('error', refusal);
  }

  private lost(code: number, reason: string, seen: Seen): void {
    const ending = this.releasing === null ? endingOf(code, reason, seen) : 'closed';
    if (ending !== 'lost') {
      this.finish(ending, code, reason, seen);
      return;
    }
    const inMs = this.dialler.redial(code, seen);
    this.emitter.become('reconnecting');
    this.emitter.emit('reconnecting', { inMs, code, cause: causeOf(code, reason, seen) });
  }

  /**
   * Asks for the seat on the connection that waits with a conflict. False where there is none. One question at a time: the
   * answer is dated from it. A click that comes meanwhile follows the answer.
   */
  protected claim(what: 'seat' | 'free seat'): boolean {
    const { seen } = this.dialler;
    if (this.state !== 'conflict' || seen === null || this.releasing !== null) return false;
    const ifFree = what === 'free seat';
    if (seen.claiming === undefined) {
      if (!seen.isAsking) this.lease.asked(); // [ask-undated]
      if (!this.dialler.send({ type: 'takeover', ...(ifFree && { ifFree }) })) return false;
      seen.claiming = what;
      seen.wantsSeat = false;
    } else seen.wantsSeat ||= !ifFree && seen.claiming !== what; // [one-takeover]
    return true;
  }

  private leaseRanOut(deadline: number): void {
    if (this.session !== null) this.emitter.emit('leaseExpired', { epoch: this.session.epoch, deadline });
  }

  private forget(): void {
    this.session = null;
    this.clearLease();
  }

  /** The lease is gone, and what is told is something else than its end. */
  protected clearLease(): void {
    this.idle.stop();
    this.lease.clear();
    this.watch.look();
  }

  protected finish(ending: Exclude<Ending, 'lost'>, code: number, reason: string, seen: Seen = {}): void {
    const { releasing } = this;
    this.releasing = null;
    this.dialler.stop(code === RELEASED && reason !== 'left' ? RELEASED : LEFT, 'client ended');
    this.forget();
    this.emitter.become(ending);
    if (ending === 'denied') {
      const told = code === NO_CLOSE_FRAME ? 'handshake_refused' : reason;
      this.emitter.emit('denied', { code, reason: told, message: sentenceFor(code, reason, seen) });
    }
    // A listener may have taken over meanwhile: then this is no longer the end.
    if (this.state === ending) this.emitter.emit('closed', { code, reason });
    releasing?.settle();
  }
}

/** What is left of a time that was told so long ago, and when it is over. */
function left(ms: number, lateMs: number): [leftMs: number, deadline: number] {
  const leftMs = Math.max(0, ms - lateMs);
  return [leftMs, performance.now() + leftMs];
}
