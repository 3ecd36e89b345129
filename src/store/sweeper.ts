import type { KeyNames } from './keys.js';
import type { RedisConnection } from './redis.js';
import type { RedisClock } from './redis-clock.js';
import { readReply } from './replies.js';
import { reachStore, type SeatScripts } from './seat-scripts.js';

/** Users at a time: their scripts leave in one write. */
const BATCH = 200;
/** Orgs looked at side by side. */
const ORGS_AT_ONCE = 50;
const MINUTE_MS = 60_000;

export interface SweeperParts {
  readonly redis: RedisConnection;
  readonly seats: SeatScripts;
  readonly keys: KeyNames;
  readonly config: { readonly nodeId: string; readonly leaseTtlMs: number };
  readonly redisClock: RedisClock;
}

/**
 * What must happen though nobody asks for it: run-out leases, licenses whose time has come, time in use.
 *
 * Any number of nodes may sweep at once: what ends is counted by the one script that ends it. Turns are taken only to
 * save work, and so is the memory of when an org's next lease can run out: claims and renewals only move ends back.
 */
export class Sweeper {
  /** org → the minute of its last tick by this node. */
  readonly #ticked = new Map<string, number>();
  /** org → Redis ms before which no lease of it can run out. */
  readonly #nextEndMs = new Map<string, number>();
  #isSweeping = false;

  constructor(private readonly parts: SweeperParts) {}

  /**
   * Takes run-out sessions of all orgs out of the counts and ends licenses whose time has come, unless another node
   * has just done so. Gives the number of sessions swept. Rejects with StoreUnavailable only.
   */
  async sweep(everyMs: number): Promise<number> {
    if (this.#isSweeping) return 0;
    this.#isSweeping = true;
    try {
      return await reachStore(async () => ((await this.#takeTurn(everyMs)) ? this.#sweepAll() : 0));
    } finally {
      this.#isSweeping = false;
    }
  }

  /** Redis's clock was set: what is known of ends no longer holds. */
  forget(): void {
    this.#nextEndMs.clear();
  }

  async #takeTurn(everyMs: number): Promise<boolean> {
    const { redis, keys, config } = this.parts;
    const turnMs = Math.max(1, Math.ceil(everyMs * 0.8));
    try {
      if ((await redis.set(keys.sweepTurn, config.nodeId, 'PX', turnMs, 'NX')) !== null) return true;
    } catch (error) {
      // With its memory full Redis sets no key; sweeping frees some, and is safe without a turn.
      if (String(error).includes('OOM')) return true;
      throw error;
    }
    // A turn may not outlast its time: after Redis's clock went back, it would for as long as it went back.
    return (await redis.pttl(keys.sweepTurn)) > turnMs;
  }

  async #sweepAll(): Promise<number> {
    const { redis, keys, redisClock } = this.parts;
    const nowMs = await redisClock.ask(redis);
    const orgs = await redis.smembers(keys.orgs);
    let swept = 0;
    const failures: unknown[] = [];
    for (let from = 0; from < orgs.length; from += ORGS_AT_ONCE) {
      const results = await Promise.allSettled(
        orgs.slice(from, from + ORGS_AT_ONCE).map((org) => this.#sweepOrg(org, nowMs)),
      );
      for (const result of results) {
        if (result.status === 'fulfilled') swept += result.value;
        else failures.push(result.reason);
      }
    }
    // Where one master of a cluster is gone, the orgs of the others are swept all the same.
    if (failures.length > 0) throw failures[0];
    return swept;
  }

  async #sweepOrg(org: string, nowMs: number): Promise<number> {
    await this.#tick(org, nowMs);
    await this.#expireLicenses(org, nowMs);
    return (this.#nextEndMs.get(org) ?? 0) > nowMs ? 0 : this.#sweepLeases(org, nowMs);
  }

  async #sweepLeases(org: string, nowMs: number): Promise<number> {
    const { redis, seats, keys, config } = this.parts;
    for (let swept = 0; ; ) {
      const [, firstEnd] = await redis.zrange(keys.active(org), '0', '0', 'WITHSCORES');
      const nextEndMs = firstEnd === undefined ? nowMs + config.leaseTtlMs : Number(firstEnd);
      if (nextEndMs > nowMs) {
        this.#nextEndMs.set(org, nextEndMs);
        return swept;
      }
      // A crashed node may leave more than one batch: all are out of the counts in this turn (promise 7).
      const users = await this.#due(keys.active(org), nowMs);
      const replies = await Promise.all(users.map((user) => seats.run('sweep', { org, user }, {})));
      swept += replies.filter((reply) => reply === 1).length;
      if (users.length < BATCH) return swept;
    }
  }

  async #expireLicenses(org: string, nowMs: number): Promise<void> {
    const { seats, keys } = this.parts;
    const more = keys.licenseChange(org, 'none');
    for (;;) {
      const users = await this.#due(keys.expiring(org), nowMs);
      const replies = await Promise.all(
        users.map((user) => seats.run('expire', { org, user }, { actor: 'broker' }, more)),
      );
      const expired = replies.filter((reply) => readReply<{ outcome: string }>(reply).outcome === 'done');
      // By the clock of the org's own server none of them may be due yet: then they are again next time.
      if (users.length < BATCH || expired.length === 0) return;
    }
  }

  /** Once a minute, so that time in use is counted in the hour it fell in, and each hour has its peak. */
  async #tick(org: string, nowMs: number): Promise<void> {
    const minute = Math.floor(nowMs / MINUTE_MS);
    if (this.#ticked.get(org) === minute) return;
    await this.parts.seats.run('tick', { org, user: '' }, {});
    this.#ticked.set(org, minute);
  }

  #due(index: string, nowMs: number): Promise<string[]> {
    return this.parts.redis.zrangebyscore(index, '-inf', Math.floor(nowMs), 'LIMIT', 0, BATCH);
  }
}
