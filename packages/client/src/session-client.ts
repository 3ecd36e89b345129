import { LEFT, NO_CLOSE_FRAME } from './connection.js';
import type { EventName, Listener } from './events.js';
import { wholeMs } from './idle-report.js';
import { PendingRelease } from './pending-release.js';
import { RELEASED, SessionCore } from './session-core.js';

const RELEASE_TIMEOUT_MS = 2_000;

/** One program's hold on its user's seat: connects, keeps, reconnects, and says what happens. Made by `connect`. */
export class SessionClient extends SessionCore {
  /** The session, kept over a lost connection; null before the first welcome and after the end. */
  get sessionId(): string | null {
    return this.session?.sessionId ?? null;
  }

  /** The fencing token to show to other services: the higher epoch is the true owner. */
  get epoch(): number | null {
    return this.session?.epoch ?? null;
  }

  /** When the lease ends, in `performance.now()` milliseconds; null where there is none. */
  get leaseDeadline(): number | null {
    return this.watch.deadline;
  }

  /** Whether the seat may be counted on right now, connected or not. */
  holdsLease(): boolean {
    return this.lease.holds();
  }

  /** Listens to an event, until the function it returns is called. */
  on<E extends EventName>(event: E, listener: Listener<E>): () => void {
    return this.emitter.on(event, listener);
  }

  /**
   * A person chose "use here". Beside the first connect, the only thing that displaces a holder.
   * A seat that seems to be here is claimed anew too, and resumed if it is: an eviction may be on its way.
   */
  takeOver(): void {
    const { dialler } = this;
    if (this.releasing !== null || dialler.dialling === 'takeover') return;
    this.hasLeft = false;
    if (this.claim('seat')) return;
    dialler.dial('takeover'); // [takeover-by-person]
    this.emitter.become('connecting');
  }

  /**
   * A person chose "ask for it": the holder is asked, and may save and yield. `conflict` with `asking` tells that it is, then
   * `welcome` or `askRefused` what came of it. `takeOver()` asks nobody.
   */
  ask(): void {
    const { dialling, seen } = this.dialler;
    const isAsking = this.state === 'conflict' && seen?.isAsking === true;
    const isBusy = (dialling !== null && dialling !== 'deny') || isAsking;
    if (isBusy || this.releasing !== null || (this.hasSeat() && seen !== null)) return;
    this.hasLeft = false;
    this.dialler.dial('ask'); // [ask-by-person] [ask-waits]
    this.emitter.become('connecting');
  }

  /** What the person says to `takeoverRequested`: to yield, perhaps after `needMs` milliseconds in which to save, or not. */
  answer(yields: boolean, needMs?: number): void {
    this.dialler.send({
      type: 'answer',
      yield: yields,
      ...(needMs !== undefined && { needMs: wholeMs(needMs) }),
    });
  }

  /**
   * While a conflict waits: takes the seat if nobody has it, and never displaces a holder. For a program that acts without a click,
   * as at the event `seatFree`. Where somebody was faster, `conflict` comes again.
   */
  takeIfFree(): void {
    this.claim('free seat'); // [take-if-free]
  }

  /**
   * Tries again at once, and never displaces a holder: for a button "Try again", in place of what is left of the wait. Nothing happens
   * while the seat is here, while an attempt is under way, and after `release` or `disconnect`.
   */
  retryNow(): void {
    const isBusy = this.dialler.dialling !== null || (this.hasSeat() && this.dialler.seen !== null);
    if (isBusy || this.hasLeft || this.releasing !== null) return;
    this.dialler.dial('deny'); // [person-may-retry]
    this.emitter.become('connecting');
  }

  /**
   * The person was at work, `idleMs` milliseconds ago. For every key and click: the broker is told no more often than it wants to
   * hear it. Nothing happens without `options.idleMs` and where the session has no idle limit.
   */
  activity(idleMs = 0): void {
    this.idle.activity(idleMs);
  }

  /** Asks to take the seat along offline. False where no connection has it. `leave` of `@soleseat/client/ticket` waits for the answer. */
  requestLeave(forMs: number): boolean {
    return (
      this.hasSeat() && this.releasing === null && this.dialler.send({ type: 'leave', forMs: wholeMs(forMs) })
    );
  }

  /** Gives the seat back and ends. Settles when the broker confirms it, or after two seconds. */
  release(): Promise<void> {
    if (this.releasing !== null) return this.releasing.promise;
    if (this.isOver()) return Promise.resolve();
    this.hasLeft = true;
    this.clearLease();
    if (this.state === 'conflict' || !this.dialler.send({ type: 'release' })) {
      // Nothing to give back, or nobody to give it to: then the seat ends with its TTL. [release]
      this.finish('closed', RELEASED, 'released');
      return Promise.resolve();
    }
    const overdue = () => this.finish('closed', NO_CLOSE_FRAME, 'no answer to release');
    this.releasing = new PendingRelease(RELEASE_TIMEOUT_MS, overdue); // [release-timeout]
    return this.releasing.promise;
  }

  /** Leaves without giving the seat back: it stays with this session until its TTL ends. */
  disconnect(): void {
    if (this.isOver()) return;
    this.hasLeft = true;
    this.finish('closed', LEFT, 'disconnected');
  }
}
