import { reachStore, StoreDefect } from './errors.js';
import type { KeyNames } from './keys.js';
import type {
  ClaimAnswer,
  ClaimRequest,
  EvictionReason,
  HeldLease,
  LeaseConfig,
  RenewAnswer,
} from './lease-types.js';
import { type RedisConnection, untilReady } from './redis.js';
import type { RedisClock } from './redis-clock.js';
import {
  type ClaimReply,
  type EvictReply,
  fenceOf,
  lostTo,
  parseLease,
  type ReassertReply,
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
}

/** The lease operations, each one atomic script on one slot. Rejects with StoreUnavailable or StoreDefect. */
export class Leases {
  /** org → highest epoch seen, the floor of the next one (promise 8). */
  readonly #epochSeen = new Map<string, number>();

  constructor(private readonly parts: LeasesParts) {}

  /** All that were claimed for here, whatever became of the sessions: Redis may have lost that they exist. */
  get orgs(): readonly string[] {
    return [...this.#epochSeen.keys()];
  }

  /** Takes the seat, or tells why not. */
  async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    if (!this.#epochSeen.has(request.org)) this.#enterOrg(request.org);
    const reply = await this.#sendClaim(request);
    switch (reply.outcome) {
      case 'granted':
        this.#see(request.org, Number(reply.epoch));
        return {
          outcome: 'granted',
          sessionId: reply.sessionId,
          epoch: Number(reply.epoch),
          resumed: reply.resumed,
          sinceMs: Number(reply.since),
          nowMs: Number(reply.now),
          license: reply.license
            ? {
                id: reply.license.id,
                ...(reply.license.expiresAt !== undefined && { expiresAt: Number(reply.license.expiresAt) }),
              }
            : null,
          displaced: reply.displaced ? { ...reply.displaced, epoch: Number(reply.displaced.epoch) } : null,
        };
      case 'conflict':
        return {
          outcome: 'conflict',
          holder: { machine: reply.holder.machine, since: Number(reply.holder.since) },
        };
      case 'denied':
        return { outcome: 'denied', reason: reply.reason };
      case 'flapping':
      case 'rate_limited':
        return { outcome: reply.outcome, retryAfterMs: Number(reply.retryAfterMs) };
    }
  }

  /** Keeps leases of one org for another TTL, and puts back those that Redis lost. */
  async renew(org: string, held: readonly HeldLease[]): Promise<RenewAnswer[]> {
    const keys = [
      this.parts.keys.active(org),
      ...held.map((lease) => this.parts.keys.lease(org, lease.user)),
    ];
    const args = [this.parts.config.leaseTtlMs, ...held.flatMap((lease) => [lease.user, fenceOf(lease)])];
    const learn = this.parts.redisClock.exchange();
    const reply = await reachStore(() => this.parts.scripts.run('renew', keys, args));
    if (!Array.isArray(reply)) throw new StoreDefect(new Error('renew answered out of form'));
    const nowMs = learn(reply[0]);
    return Promise.all(
      held.map((lease, index) =>
        this.#readRenewal(lease, reply[index + 1], nowMs).catch(
          (cause): RenewAnswer => ({ outcome: 'failed', cause }),
        ),
      ),
    );
  }

  async #readRenewal(lease: HeldLease, one: unknown, nowMs: number): Promise<RenewAnswer> {
    if (one === 1) return { outcome: 'kept' };
    const holder = typeof one === 'string' ? parseLease(one) : null;
    // A lower epoch in our place means that Redis lost ours: the highest wins (promise 8).
    if (holder === null || holder.epoch < lease.epoch) return this.#reassert(lease);
    return lostTo(lease, holder, nowMs);
  }

  /** Gives the seat back if this session still holds it. */
  async release(lease: HeldLease): Promise<boolean> {
    const order = { held: fenceOf(lease) };
    return (await reachStore(() => this.parts.seats.run('release', lease, order))) === 1;
  }

  /** Ends the user's session, wherever it is served. With `only`, just that grant. */
  async evict(order: {
    readonly org: string;
    readonly user: string;
    readonly reason: EvictionReason;
    readonly actor: string;
    readonly only?: { readonly sessionId: string; readonly epoch: number };
    /** For how long the user gets no seat; 0 lifts a hold. */
    readonly holdMs?: number;
    /** Why, in the audit trail. */
    readonly note?: string;
  }): Promise<{ readonly sessionId: string; readonly epoch: number } | null> {
    const { reason, actor, only, holdMs, note } = order;
    const argument = {
      reason,
      actor,
      ...(note !== undefined && { note }),
      ...(holdMs !== undefined && { holdMs }),
      ...(only && { sessionId: only.sessionId, epoch: String(only.epoch) }),
    };
    const reply = readReply<EvictReply>(
      await reachStore(() => this.parts.seats.run('evict', order, argument)),
    );
    return reply.outcome === 'none' ? null : { sessionId: reply.sessionId, epoch: Number(reply.epoch) };
  }

  async #sendClaim(request: ClaimRequest): Promise<ClaimReply> {
    const { org, requestId, resume, machine } = request;
    const { takeoversPerMinute, claimsPerMinute, licenseMode } = this.parts.config;
    const learn = this.parts.redisClock.exchange();
    const order = {
      sessionId: request.sessionId,
      machine: request.machineText,
      machineId: machine.id,
      machineKind: machine.kind,
      onConflict: request.onConflict,
      resume: resume && { sessionId: resume.sessionId, epoch: String(resume.epoch) },
      licenseMode,
      licenseId: request.licenseId,
      takeoversPerMinute,
      // Whoever may take over without limit may claim without one.
      claimsPerMinute: takeoversPerMinute === 0 ? 0 : claimsPerMinute,
      floor: String(this.#epochSeen.get(org) ?? 0),
    };
    const own = [this.parts.keys.request(org, requestId), this.parts.keys.claims(org, request.user)];
    const send = () => this.parts.seats.run('claim', request, order, own);
    // The reply may be lost after the script ran, with its connection: ask once more under the same request id.
    const again = async () => {
      await untilReady(this.parts.redis, this.parts.config.commandTimeoutMs);
      return send();
    };
    const reply = readReply<ClaimReply>(await reachStore(() => send().catch(again)));
    learn(reply.now);
    return reply;
  }

  async #reassert(lease: HeldLease): Promise<RenewAnswer> {
    const order = {
      sessionId: lease.sessionId,
      epoch: String(lease.epoch),
      since: String(lease.sinceMs),
      machine: lease.machineText,
    };
    const reply = readReply<ReassertReply>(
      await reachStore(() => this.parts.seats.run('reassert', lease, order)),
    );
    if (reply.outcome !== 'lost') return { outcome: reply.outcome };
    const nowMs = Number(reply.now);
    const holder = reply.lease === undefined ? null : parseLease(reply.lease);
    if (holder !== null && holder.epoch > lease.epoch) return lostTo(lease, holder, nowMs);
    return { outcome: 'lost', reason: reply.reason, by: null, epoch: Number(reply.byEpoch), nowMs };
  }

  #enterOrg(org: string): void {
    this.#see(org, 0);
    // A failure is made good by the next announcement.
    this.parts.redis.sadd(this.parts.keys.orgs, org).catch(() => {});
  }

  #see(org: string, epoch: number): void {
    this.#epochSeen.set(org, Math.max(epoch, this.#epochSeen.get(org) ?? 0));
  }
}
