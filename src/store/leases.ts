import { caseFolded } from '../protocol/text.js';
import { enterOrgs } from './directory.js';
import { OnLeave, reachStore, StoreDefect } from './errors.js';
import { displacedOf, holderOf, licenseOf, programOf, type Token, tokenOf } from './grant-fields.js';
import type { Horizon, ReignBegun } from './horizon.js';
import type { KeyNames } from './keys.js';
import type {
  ClaimAnswer,
  ClaimRequest,
  Ended,
  EvictionReason,
  HeldLease,
  LeaseConfig,
  RenewAnswer,
} from './lease-types.js';
import type { Actor } from './license-types.js';
import { type RedisConnection, untilReady } from './redis.js';
import type { RedisClock } from './redis-clock.js';
import {
  type ClaimReply,
  type EvictReply,
  fenceOf,
  givesWay,
  isTogether,
  lostTo,
  parseLease,
  type ReassertReply,
  type ReleaseReply,
  readReply,
} from './replies.js';
import type { Scripts } from './scripts.js';
import type { SeatScripts } from './seat-scripts.js';

export interface LeasesParts {
  readonly redis: RedisConnection;
  readonly scripts: Scripts;
  readonly seats: SeatScripts;
  readonly keys: KeyNames;
  readonly config: LeaseConfig;
  readonly redisClock: RedisClock;
  readonly horizon: Horizon;
}

/** The lease operations, each one atomic script on one slot. Rejects with StoreUnavailable or StoreDefect. */
export class Leases {
  /** The orgs that were named once: housekeeping names them again. */
  readonly #named = new Set<string>();

  constructor(private readonly parts: LeasesParts) {}

  /** Takes the seat, or tells why not. */
  async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    this.#enterOrg(request.org);
    const reply = await this.#sendClaim(request);
    switch (reply.outcome) {
      case 'granted':
        return {
          outcome: 'granted',
          sessionId: reply.sessionId,
          epoch: Number(reply.epoch),
          rank: Number(reply.rank),
          resumed: reply.resumed,
          isAhead: reply.ahead === true,
          sinceMs: Number(reply.since),
          nowMs: Number(reply.now),
          license: licenseOf(reply),
          idleLimitMs: reply.idleLimitMs === undefined ? null : Number(reply.idleLimitMs),
          isOverdrawn: reply.overdrawn === true,
          isShared: reply.shared === true,
          displaced: displacedOf(reply),
          question: reply.question ? { ...reply.question, inMs: Number(reply.question.inMs) } : null,
        };
      case 'conflict':
        return {
          outcome: 'conflict',
          holder: holderOf(reply.holder),
          isAsking: request.onConflict === 'ask',
          question:
            reply.askId === undefined ? null : { askId: reply.askId, waitMs: Number(reply.waitMs ?? 0) },
          ...(reply.retryAfterMs !== undefined && { retryAfterMs: Number(reply.retryAfterMs) }),
        };
      case 'on_leave':
        return {
          outcome: 'on_leave',
          holder: holderOf(reply.holder),
          retryAfterMs: Number(reply.retryAfterMs),
        };
      case 'stale':
      case 'ask_refused':
        return { outcome: reply.outcome };
      case 'spelled':
        return { outcome: 'spelled', user: reply.user };
      case 'denied':
        return { outcome: 'denied', reason: reply.reason };
      case 'flapping':
      case 'rate_limited':
        return { outcome: reply.outcome, retryAfterMs: Number(reply.retryAfterMs) };
    }
  }

  /** Keeps leases of one org for another TTL, and puts back those that Redis lost. */
  async renew(org: string, held: readonly HeldLease[]): Promise<RenewAnswer[]> {
    const { keys, config, redisClock, scripts, horizon } = this.parts;
    const leases = held.map((lease) => keys.lease(org, lease.user));
    const order = { org, nodeId: config.nodeId, ttlMs: config.leaseTtlMs, ...horizon.boundsOf(org) };
    const args = held.flatMap((lease) => [
      lease.user,
      fenceOf(lease),
      String(lease.epoch),
      lease.connection,
      lease.idleMs === undefined ? '' : String(lease.idleMs),
    ]);
    const learn = redisClock.exchange();
    const reply = await reachStore(() =>
      scripts.run('renew', { org }, [JSON.stringify(order), ...args], leases),
    );
    if (!Array.isArray(reply)) throw new StoreDefect(new Error('renew answered out of form'));
    const [now, begun, ...answers] = reply as unknown[];
    const nowMs = learn(now);
    if (begun !== '') horizon.learn(org, { reign: readReply<ReignBegun>(begun) });
    return Promise.all(
      held.map((lease, index) =>
        this.#readRenewal(lease, answers[index], nowMs).catch(
          (cause): RenewAnswer => ({ outcome: 'failed', cause }),
        ),
      ),
    );
  }

  async #readRenewal(lease: HeldLease, one: unknown, nowMs: number): Promise<RenewAnswer> {
    if (one === 1) return { outcome: 'kept', raised: null };
    if (one === 3) return { outcome: 'kept', raised: null, isShared: true };
    if (Array.isArray(one)) return { outcome: 'kept', raised: this.#raised(lease.org, one[0], one[1]) };
    if (one === 2) return this.#endRevoked(lease, nowMs);
    const holder = typeof one === 'string' ? parseLease(one) : null;
    // An older act in our place means that Redis lost ours: the newest wins (promise 8).
    if (holder === null || givesWay(holder, lease) || isTogether(holder, lease)) return this.#reassert(lease);
    return lostTo(lease, holder, nowMs);
  }

  /** Gives the seat back if this session still holds it, and no other program of the machine does. */
  async release(lease: HeldLease): Promise<boolean> {
    const { sessionId, epoch, connection, instance, isShared } = lease;
    const order = { sessionId, epoch: String(epoch), connection, instance, ...(isShared && { isShared }) };
    const reply = await reachStore(() => this.parts.seats.ask<ReleaseReply>('release', lease, order));
    return reply.outcome === 'released';
  }

  /**
   * Ends the user's session, wherever it is served. With `only`, just that grant, by any epoch since its act. Throws OnLeave
   * where the user took the seat along, unless it is forced.
   */
  async evict(order: {
    readonly org: string;
    readonly user: string;
    readonly reason: EvictionReason;
    readonly actor: Actor;
    readonly only?: { readonly sessionId: string; readonly epoch: number };
    /** For how long the user gets no seat; 0 lifts a hold. */
    readonly holdMs?: number;
    /** Why, in the audit trail. */
    readonly note?: string;
    /** Also where the user is on leave. */
    readonly forced?: boolean;
  }): Promise<Ended | null> {
    const { reason, actor, only, holdMs, note, forced } = order;
    const argument = {
      reason,
      actor,
      ...(note !== undefined && { note }),
      ...(holdMs !== undefined && { holdMs }),
      ...(forced === true && { forced }),
      ...(only && { sessionId: only.sessionId, epoch: String(only.epoch) }),
    };
    const reply = await reachStore(() => this.parts.seats.ask<EvictReply>('evict', order, argument));
    return reply.outcome === 'active' ? null : endedOf(reply);
  }

  /** Ends a session at which nobody was at work for so long. Gives for how long nobody was, where it is shared and that is less. */
  async endIdle(lease: HeldLease, idleLimitMs: number): Promise<Ended | { readonly idleMs: number } | null> {
    const { sessionId, epoch } = lease;
    const order = { sessionId, epoch: String(epoch), reason: 'idle_timeout', actor: 'broker', idleLimitMs };
    const reply = await reachStore(() => this.parts.seats.ask<EvictReply>('evict', lease, order));
    return reply.outcome === 'active' ? { idleMs: Number(reply.idleMs) } : endedOf(reply);
  }

  /** Takes a program whose connection was lost out of a session that others share. */
  async unshare({
    org,
    user,
    sessionId,
    connection,
    instance,
  }: Pick<HeldLease, 'org' | 'user' | 'sessionId' | 'connection' | 'instance'>): Promise<void> {
    const order = { sessionId, connection, instance };
    await reachStore(() => this.parts.seats.run('unshare', { org, user }, order));
  }

  async #sendClaim(request: ClaimRequest): Promise<ClaimReply> {
    const { org, user, requestId, resume, machine } = request;
    const folded = caseFolded(user);
    const { takeoversPerMinute, claimsPerMinute, machinesKeptMs, licenseMode } = this.parts.config;
    const learn = this.parts.redisClock.exchange();
    const order = {
      ...(folded !== user && { folded }),
      sessionId: request.sessionId,
      machine: request.machineText,
      machineId: machine.id,
      machineKind: machine.kind,
      ...programOf(request),
      ...(request.idleMs !== undefined && { idleMs: request.idleMs }),
      onConflict: request.onConflict,
      ...request.ask,
      ticket: request.ticket && {
        sessionId: request.ticket.sessionId,
        epoch: String(request.ticket.epoch),
        expiresAt: String(request.ticket.expiresAtMs),
      },
      waited: request.waited,
      trace: request.trace,
      resume: resume && { sessionId: resume.sessionId, epoch: String(resume.epoch) },
      licenseMode,
      licenseId: request.licenseId,
      takeoversPerMinute,
      // Whoever may take over without limit may claim without one.
      claimsPerMinute: takeoversPerMinute === 0 ? 0 : claimsPerMinute,
      machinesKeptMs,
    };
    const seat = { org, user, request: requestId };
    const send = () => this.parts.seats.ask<ClaimReply>('claim', seat, order);
    // The reply may be lost after the script ran, with its connection: ask once more under the same request id.
    const again = async () => {
      await untilReady(this.parts.redis, this.parts.config.commandTimeoutMs);
      return send();
    };
    const reply = await reachStore(() => send().catch(again));
    learn(reply.now);
    return reply;
  }

  /** Its token was revoked, and no notice of that came here. */
  async #endRevoked(lease: HeldLease, nowMs: number): Promise<RenewAnswer> {
    const reason = 'token_revoked';
    const ended = await this.evict({ ...lease, reason, actor: 'broker', only: lease });
    return { outcome: 'lost', reason, by: null, epoch: ended?.byEpoch ?? lease.epoch, nowMs };
  }

  /** Whether a token is still good that somebody shows. Where they hold a lease, it is the lease's token from now on. */
  async present(
    shown: Token & { readonly org: string; readonly user: string } & Partial<HeldLease>,
  ): Promise<boolean> {
    const { sessionId, epoch, connection, instance } = shown;
    const grant = { sessionId, epoch: epoch === undefined ? undefined : String(epoch), connection, instance };
    const order = { ...grant, ...tokenOf(shown) };
    return (await reachStore(() => this.parts.seats.run('present', shown, order))) === 1;
  }

  async #reassert(lease: HeldLease): Promise<RenewAnswer> {
    const order = {
      sessionId: lease.sessionId,
      epoch: String(lease.epoch),
      rank: String(lease.rank),
      since: String(lease.sinceMs),
      machine: lease.machineText,
      machineId: lease.machineId,
      ...programOf(lease),
      ...(lease.isIdleTold && { idle: '1' }),
    };
    const reply = await reachStore(() => this.parts.seats.ask<ReassertReply>('reassert', lease, order));
    if (reply.outcome !== 'lost')
      return { outcome: reply.outcome, raised: this.#raised(lease.org, reply.epoch, reply.rank) };
    const nowMs = Number(reply.now);
    const holder = reply.lease === undefined ? null : parseLease(reply.lease);
    if (holder !== null && !givesWay(holder, lease)) return lostTo(lease, holder, nowMs);
    return { outcome: 'lost', reason: reply.reason, by: null, epoch: Number(reply.byEpoch), nowMs };
  }

  /** A lease was written anew under this epoch. */
  #raised(org: string, epoch: unknown, rank: unknown): { readonly epoch: number; readonly rank: number } {
    this.parts.horizon.see(org, Number(epoch));
    return { epoch: Number(epoch), rank: Number(rank) };
  }

  #enterOrg(org: string): void {
    if (this.#named.has(org)) return;
    this.#named.add(org);
    this.parts.horizon.see(org, 0);
    // A failure is made good by the next announcement.
    enterOrgs(this.parts.redis, this.parts.keys, [org]).catch(() => {});
  }
}

function endedOf(reply: Exclude<EvictReply, { outcome: 'active' }>): Ended | null {
  if (reply.outcome === 'none') return null;
  if (reply.outcome === 'on_leave') throw new OnLeave(Number(reply.leaveUntil));
  const { sessionId, epoch, byEpoch, now } = reply;
  return { sessionId, epoch: Number(epoch), byEpoch: Number(byEpoch), nowMs: Number(now) };
}
