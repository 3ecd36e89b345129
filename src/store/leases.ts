import type { Clock } from '../base/clock.js';
import type { CloseReason } from '../protocol/close-codes.js';
import type { KeyNames } from './keys.js';
import type { ClaimAnswer, ClaimRequest, HeldLease, LeaseConfig, RenewAnswer } from './lease-types.js';
import type { RedisConnection } from './redis.js';
import { RedisClock } from './redis-clock.js';
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

/** Redis is out of reach, too slow, or refuses to write. Nothing may be taken for granted. */
export class StoreUnavailable extends Error {
  constructor(cause: unknown) {
    super('Redis is out of reach or refuses to write', { cause });
  }
}

/** Users per sweep script: more would hold Redis for longer. */
const SWEEP_BATCH = 200;

/** The lease operations, each one atomic script on one slot. Rejects with StoreUnavailable only. */
export class Leases {
  readonly #redisClock: RedisClock;
  /** org → highest epoch seen, the floor of the next one (promise 8). */
  readonly #epochSeen = new Map<string, number>();

  constructor(
    private readonly redis: RedisConnection,
    private readonly scripts: Scripts,
    private readonly keys: KeyNames,
    private readonly config: LeaseConfig,
    clock: Clock,
  ) {
    this.#redisClock = new RedisClock(clock);
  }

  /** Redis's time in Unix ms as far as this node knows it. */
  redisNowMs(): number | null {
    return this.#redisClock.nowMs();
  }

  /** Takes the seat, or tells why not. */
  async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    if (!this.#epochSeen.has(request.org)) this.#enterOrg(request.org);
    let reply = await this.#sendClaim(request);
    // The deadline was computed from a stale idea of Redis's time; the reply has mended that.
    if (reply.outcome === 'late') reply = await this.#sendClaim(request);
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
      case 'late':
        throw new StoreUnavailable(new Error('the claim passed its deadline'));
    }
  }

  /** Keeps leases of one org for another TTL, and puts back those that Redis lost. */
  async renew(org: string, held: readonly HeldLease[]): Promise<RenewAnswer[]> {
    const keys = [this.keys.active(org), ...held.map((lease) => this.keys.lease(org, lease.user))];
    const args = [this.config.leaseTtlMs, ...held.flatMap((lease) => [lease.user, fenceOf(lease)])];
    const reply = await this.#run(() => this.scripts.run('renew', keys, args));
    if (!Array.isArray(reply)) throw new StoreUnavailable(new Error('renew answered out of form'));
    const nowMs = this.#redisClock.learn(reply[0]);
    return Promise.all(
      held.map((lease, index): Promise<RenewAnswer> | RenewAnswer => {
        const one: unknown = reply[index + 1];
        if (one === 1) return { outcome: 'kept' };
        const holder = typeof one === 'string' ? parseLease(one) : null;
        // A lower epoch in our place means that Redis lost ours: the highest wins (promise 8).
        if (holder === null || holder.epoch < lease.epoch) return this.#reassert(lease);
        return lostTo(lease, holder, nowMs);
      }),
    );
  }

  /** Gives the seat back if this session still holds it. */
  async release(lease: HeldLease): Promise<boolean> {
    const { org, user } = lease;
    const keys = this.#seatKeys(org, user);
    const args = [user, fenceOf(lease), this.config.eventsKept];
    return (await this.#run(() => this.scripts.run('release', keys, args))) === 1;
  }

  /** Ends the user's session, wherever it is served. With `only`, just that grant. */
  async evict(order: {
    readonly org: string;
    readonly user: string;
    readonly reason: CloseReason;
    readonly actor: string;
    readonly only?: { readonly sessionId: string; readonly epoch: number };
  }): Promise<{ readonly sessionId: string; readonly epoch: number } | null> {
    const { org, user, reason, actor, only } = order;
    const keys = this.#seatKeys(org, user);
    const argument = {
      org,
      user,
      reason,
      actor,
      ...this.#common(),
      ...(only && { sessionId: only.sessionId, epoch: String(only.epoch) }),
    };
    const reply = readReply<EvictReply>(
      await this.#run(() => this.scripts.run('evict', keys, [JSON.stringify(argument)])),
    );
    return reply.outcome === 'none' ? null : { sessionId: reply.sessionId, epoch: Number(reply.epoch) };
  }

  /** Takes expired sessions of all orgs out of the counts, unless another node has just done so. */
  async sweep(everyMs: number): Promise<number> {
    return this.#run(async () => {
      const turn = await this.redis.set(
        this.keys.sweepTurn,
        this.config.nodeId,
        'PX',
        Math.ceil(everyMs * 0.8),
        'NX',
      );
      if (turn === null) return 0;
      let swept = 0;
      for (const org of await this.redis.smembers(this.keys.orgs)) swept += await this.#sweepOrg(org);
      return swept;
    });
  }

  /** Marks this node as alive and its orgs as in use, also after Redis lost everything. */
  async heartbeat(orgs: readonly string[]): Promise<void> {
    await this.#run(async () => {
      await this.redis.zadd(this.keys.nodes, Math.round(this.#redisClock.nowMs() ?? 0), this.config.nodeId);
      if (orgs.length > 0) await this.redis.sadd(this.keys.orgs, ...orgs);
    });
  }

  /** Takes this node out of the directory at its end. */
  async leave(): Promise<void> {
    await this.#run(() => this.redis.zrem(this.keys.nodes, this.config.nodeId));
  }

  async #sweepOrg(org: string): Promise<number> {
    const nowMs =
      this.#redisClock.nowMs() ??
      this.#redisClock.learn((await this.redis.time()).map(Number).reduce((s, us) => s * 1000 + us / 1000));
    const active = this.keys.active(org);
    const end = Math.floor(nowMs);
    for (let swept = 0; ; ) {
      const users = await this.redis.zrangebyscore(active, '-inf', end, 'LIMIT', 0, SWEEP_BATCH);
      if (users.length === 0) return swept;
      const keys = [active, this.keys.counters(org), this.keys.events(org)];
      keys.push(...users.map((user) => this.keys.lease(org, user)));
      swept += Number(await this.scripts.run('sweep', keys, [this.config.eventsKept, ...users]));
      // A crashed node may leave more than one batch: all are out of the counts in this turn (promise 7).
      if (users.length < SWEEP_BATCH) return swept;
    }
  }

  async #sendClaim(request: ClaimRequest): Promise<ClaimReply> {
    const { org, user, requestId, resume, machine } = request;
    const { takeoversPerMinute, claimsPerMinute } = this.config;
    const k = this.keys;
    const keys = [
      k.lease(org, user),
      k.epoch(org),
      k.active(org),
      k.license(org, user),
      k.licensed(org),
      k.counters(org),
      k.events(org),
      k.machines(org, user),
      k.settings(org),
      k.fence(org, user),
      k.takeovers(org, user),
      k.request(org, requestId),
      k.claims(org, user),
    ];
    const nowMs = this.#redisClock.nowMs();
    const argument = JSON.stringify({
      org,
      user,
      sessionId: request.sessionId,
      machine: request.machineText,
      machineId: machine.id,
      machineKind: machine.kind,
      onConflict: request.onConflict,
      resume: resume && { sessionId: resume.sessionId, epoch: String(resume.epoch) },
      licenseMode: this.config.licenseMode,
      licenseId: request.licenseId,
      takeoversPerMinute,
      // Whoever may take over without limit may claim without one.
      claimsPerMinute: takeoversPerMinute === 0 ? 0 : claimsPerMinute,
      floor: String(this.#epochSeen.get(org) ?? 0),
      notAfter: nowMs === null ? 0 : Math.ceil(nowMs + this.config.commandTimeoutMs),
      ...this.#common(),
    });
    const send = () => this.scripts.run('claim', keys, [argument]);
    // The reply may be lost after the script ran: ask once more under the same request id.
    const reply = readReply<ClaimReply>(await this.#run(() => send().catch(() => send())));
    this.#redisClock.learn(reply.now);
    return reply;
  }

  async #reassert(lease: HeldLease): Promise<RenewAnswer> {
    const { org, user } = lease;
    const k = this.keys;
    const keys = [
      k.lease(org, user),
      k.epoch(org),
      k.active(org),
      k.license(org, user),
      k.counters(org),
      k.events(org),
      k.fence(org, user),
    ];
    const argument = {
      org,
      user,
      sessionId: lease.sessionId,
      epoch: String(lease.epoch),
      since: String(lease.sinceMs),
      machine: lease.machineText,
      ...this.#common(),
    };
    const reply = readReply<ReassertReply>(
      await this.#run(() => this.scripts.run('reassert', keys, [JSON.stringify(argument)])),
    );
    if (reply.outcome !== 'lost') return { outcome: reply.outcome };
    const nowMs = Number(reply.now);
    const holder = reply.lease === undefined ? null : parseLease(reply.lease);
    if (holder !== null && holder.epoch > lease.epoch) return lostTo(lease, holder, nowMs);
    return { outcome: 'lost', reason: reply.reason, by: null, epoch: Number(reply.byEpoch), nowMs };
  }

  /** The keys of release and evict, in their order. */
  #seatKeys(org: string, user: string): string[] {
    const k = this.keys;
    return [
      k.lease(org, user),
      k.epoch(org),
      k.active(org),
      k.counters(org),
      k.events(org),
      k.fence(org, user),
    ];
  }

  #common() {
    const { nodeId, leaseTtlMs: ttlMs, eventsKept } = this.config;
    return { nodeId, ttlMs, eventsKept, channelPrefix: this.keys.channelPrefix };
  }

  #enterOrg(org: string): void {
    this.#see(org, 0);
    // A failure is made good by the next heartbeat.
    this.redis.sadd(this.keys.orgs, org).catch(() => {});
  }

  #see(org: string, epoch: number): void {
    this.#epochSeen.set(org, Math.max(epoch, this.#epochSeen.get(org) ?? 0));
  }

  async #run<T>(operation: () => Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (error) {
      throw new StoreUnavailable(error);
    }
  }
}
