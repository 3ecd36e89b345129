import type { WheelTimer } from '../base/timer-wheel.js';
import type { Machine } from '../protocol/messages.js';
import type { HeldLease } from '../store/lease-types.js';
import type { EndedNotice } from '../store/notices.js';
import type { Link } from './link.js';

/** Shared, since nearly every claim hears nothing. */
const none: readonly EndedNotice[] = [];

export type SessionState = 'claiming' | 'active' | 'jeopardy' | 'ended';

/** How many sessions of a registry are in each state. */
export type StateCounts = Record<SessionState, number>;

/** One user's seat in use by one machine, as served by this node: a grant and the connection that uses it. */
export class Session implements HeldLease {
  #state: SessionState = 'claiming';
  #counts: StateCounts | null = null;
  epoch = 0;
  sinceMs = 0;
  /** Monotonic ms after which the lease may have run out in Redis and must not be counted on (promise 6). */
  deadlineMs = 0;
  renewalTimer: WheelTimer | null = null;
  tokenTimer: WheelTimer | null = null;
  /** Unix ms: the end of the token that the client was last warned of. */
  warnedOfMs = 0;
  /** Notices that came while the claim was under way: they may concern the grant that is being made. */
  earlyNotices: readonly EndedNotice[] = none;
  readonly machineText: string;

  constructor(
    readonly org: string,
    readonly user: string,
    public sessionId: string,
    machine: Machine,
    readonly link: Link,
  ) {
    this.machineText = JSON.stringify(machine);
  }

  get state(): SessionState {
    return this.#state;
  }

  set state(next: SessionState) {
    if (this.#counts !== null) {
      this.#counts[this.#state]--;
      this.#counts[next]++;
    }
    this.#state = next;
  }

  /** From now on the session is counted here, and nowhere else; null takes it out. */
  countIn(counts: StateCounts | null): void {
    if (this.#counts !== null) this.#counts[this.#state]--;
    if (counts !== null) counts[this.#state]++;
    this.#counts = counts;
  }

  get machine(): Machine {
    return JSON.parse(this.machineText) as Machine;
  }

  /** The claim was answered: from now on the session is this grant. */
  grant(sessionId: string, epoch: number, sinceMs: number, deadlineMs: number): void {
    this.sessionId = sessionId;
    this.epoch = epoch;
    this.sinceMs = sinceMs;
    this.deadlineMs = deadlineMs;
    this.state = 'active';
  }

  isGrant(sessionId: string, epoch: number): boolean {
    return this.sessionId === sessionId && this.epoch === epoch;
  }

  get isLive(): boolean {
    return this.state === 'active' || this.state === 'jeopardy';
  }

  /** No timer acts for it any more. */
  markEnded(): void {
    this.state = 'ended';
    this.renewalTimer?.cancel();
    this.tokenTimer?.cancel();
    this.renewalTimer = null;
    this.tokenTimer = null;
    this.earlyNotices = none;
  }
}
