import type { HelloMessage, Machine } from '#client/protocol/messages.js';
import type { ClientClaims } from '../auth/claims.js';
import type { WheelTimer } from '../base/timer-wheel.js';
import type { HeldLease } from '../store/lease-types.js';
import type { AskedNotice, EndedNotice } from '../store/notices.js';
import type { Link } from './link.js';

/** Shared, since nearly every claim hears nothing. */
const none: readonly EndedNotice[] = [];

export type SessionState = 'claiming' | 'active' | 'jeopardy' | 'ended';

/** How many sessions of a registry are in each state. */
export type StateCounts = Record<SessionState, number>;

/** The user, machine and program that claim a seat. */
export interface Claimant {
  readonly org: string;
  readonly user: string;
  /** Of the new session, unless the claim turns out to be a resume. */
  readonly sessionId: string;
  readonly machine: Machine;
  readonly instance?: string;
  readonly attempt?: number;
  readonly client?: HelloMessage['client'];
  readonly token: SessionToken;
  readonly asks?: boolean;
  /** How long nobody has been at work; none: the program does not tell. */
  readonly idleMs?: number;
}

/** What of a session's token outlives its check: by it the token can be revoked. */
export type SessionToken = Pick<HeldLease, 'tokenIssuedAtMs' | 'tokenId'>;

/** What of a token is kept with its session. */
export function tokenOf({ issuedAtMs, jti }: ClientClaims): SessionToken {
  return {
    ...(issuedAtMs !== undefined && { tokenIssuedAtMs: issuedAtMs }),
    ...(jti !== undefined && { tokenId: jti }),
  };
}

/** One user's seat in use by one machine, as served by this node: a grant and the connection that uses it. */
export class Session implements HeldLease {
  #state: SessionState = 'claiming';
  #counts: StateCounts | null = null;
  epoch = 0;
  /** The epoch of the person's act; see HeldLease. */
  rank = 0;
  sinceMs = 0;
  /** Monotonic ms after which the lease may have run out in Redis and must not be counted on (promise 6). */
  deadlineMs = 0;
  renewalTimer: WheelTimer | null = null;
  tokenTimer: WheelTimer | null = null;
  idleTimer: WheelTimer | null = null;
  askTimer: WheelTimer | null = null;
  /** Other programs of its machine hold it too, or did. */
  isShared = false;
  /** Monotonic ms: when Redis was last told of activity before a renewal was due. */
  hastenedMs = Number.NEGATIVE_INFINITY;
  /** It is about to be taken along: its lease is a leave's for the moment. */
  isLeaving = false;
  /** A question that came while the claim was under way. */
  earlyQuestion: AskedNotice | null = null;
  /** The question for its seat that is open; null: nobody asks. */
  askId: string | null = null;
  /** Monotonic ms: when somebody was last at work; null where the program does not tell. */
  activeAtMs: number | null = null;
  /** The same, as Redis knows it. */
  activeToldMs: number | null = null;
  token: SessionToken;
  /** Unix ms: the end of the token that the client was last warned of. */
  warnedOfMs = 0;
  /** Notices that came while the claim was under way: they may concern the grant that is being made. */
  earlyNotices: readonly EndedNotice[] = none;
  readonly org: string;
  readonly user: string;
  sessionId: string;
  /** The id of the claim that made it: no other grant of any node has it. */
  readonly connection: string;
  readonly instance?: string;
  readonly attempt?: number;
  readonly clientText?: string;
  readonly asks?: boolean;
  readonly address: string;
  readonly machineId: string;
  readonly machineText: string;

  constructor(
    claimant: Claimant,
    readonly link: Link,
  ) {
    const { org, user, sessionId, machine, instance, attempt, client } = claimant;
    this.org = org;
    this.user = user;
    this.sessionId = sessionId;
    this.connection = sessionId;
    if (instance !== undefined) this.instance = instance;
    if (attempt !== undefined) this.attempt = attempt;
    if (client !== undefined) this.clientText = JSON.stringify(client);
    if (claimant.asks === true) this.asks = true;
    this.token = claimant.token;
    this.address = link.address;
    this.machineId = machine.id;
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
  grant(
    granted: {
      readonly sessionId: string;
      readonly epoch: number;
      readonly rank: number;
      readonly sinceMs: number;
      readonly isShared?: boolean;
    },
    deadlineMs: number,
  ): void {
    if (granted.isShared) this.isShared = true;
    this.sessionId = granted.sessionId;
    this.sinceMs = granted.sinceMs;
    this.raise(granted);
    this.deadlineMs = deadlineMs;
    this.state = 'active';
  }

  /** The lease was written anew under this epoch (promise 8). */
  raise({ epoch, rank }: { readonly epoch: number; readonly rank: number }): void {
    this.epoch = epoch;
    this.rank = rank;
  }

  /** The lease as it is now: the session goes on while a command about it is under way. */
  lease(): HeldLease {
    const { org, user, sessionId, epoch, rank, connection, address, machineId, sinceMs, machineText } = this;
    const { instance, attempt, clientText, token } = this;
    return {
      ...token,
      ...{ org, user, sessionId, epoch, rank, connection, address, machineId, sinceMs, machineText },
      ...(instance !== undefined && { instance }),
      ...(attempt !== undefined && { attempt }),
      ...(clientText !== undefined && { clientText }),
      ...(this.activeAtMs !== null && { isIdleTold: true }),
      ...(this.asks === true && { asks: true }),
      ...(this.isShared && { isShared: true }),
    };
  }

  /**
   * Whether a notice is about this grant (promise 1): by its connection, whose epoch may have been raised by a reply
   * that is still on its way; where programs share it, by each of theirs [broker-share]; and by the epoch where a node of version 0.1 wrote the lease.
   */
  isGrant(grant: {
    readonly sessionId: string;
    readonly epoch: number;
    readonly connection: string | null;
    readonly connections?: readonly string[];
  }): boolean {
    if (this.sessionId !== grant.sessionId) return false;
    if (grant.connections !== undefined) return grant.connections.includes(this.connection);
    return grant.connection === null ? this.epoch === grant.epoch : this.connection === grant.connection;
  }

  get isLive(): boolean {
    return this.state === 'active' || this.state === 'jeopardy';
  }

  /** No timer acts for it any more. */
  markEnded(): void {
    this.state = 'ended';
    this.renewalTimer?.cancel();
    this.tokenTimer?.cancel();
    this.idleTimer?.cancel();
    this.askTimer?.cancel();
    this.renewalTimer = null;
    this.tokenTimer = null;
    this.idleTimer = null;
    this.askTimer = null;
    this.earlyNotices = none;
  }
}
