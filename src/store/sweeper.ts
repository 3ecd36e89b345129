import { causeOf } from './causes.js';
import { reachStore } from './errors.js';
import type { KeyNames } from './keys.js';
import type { RedisConnection } from './redis.js';
import type { RedisClock } from './redis-clock.js';
import type { SeatScripts } from './seat-scripts.js';

/** Users at a time: their scripts leave in one write. */
const BATCH = 200;
/** Orgs looked at side by side. */
const ORGS_AT_ONCE = 50;
const MINUTE_MS = 60_000;

export interface SweeperParts {
  readonly redis: RedisConnection;
  readonly seats: SeatScripts;
  readonly keys: KeyNames;
  readonly config: { readonly nodeId: string };
  readonly redisClock: RedisClock;
}

/**
 * What must happen though nobody asks for it: run-out leases, licenses whose time has come, time in use.
 *
 * Any number of nodes may sweep at once: what ends is counted by the one script that ends it. Turns are taken only to
 * save work.
 */
export class Sweeper {
  /** org → the minute of its last tick by this node. */
  readonly #ticked = new Map<string, number>();
  #isSweeping = false;

  constructor(private readonly parts: SweeperParts) {}

  /**
   * Takes run-out sessions of all orgs out of the counts and ends licenses whose time has come, unless another node
   * has just done so. Gives the number of sessions swept. Rejects with StoreUnavailable or StoreDefect.
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

  async #takeTurn(everyMs: number): Promise<boolean> {
    const { redis, keys, config } = this.parts;
    const turnMs = Math.max(1, Math.ceil(everyMs * 0.8));
    try {
      if ((await redis.set(keys.sweepTurn, config.nodeId, 'PX', turnMs, 'NX')) !== null) return true;
    } catch (error) {
      // With its memory full Redis sets no key; sweeping frees some, and is safe without a turn.
      if (causeOf(error)?.kind === 'full') return true;
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
    const { seats, keys } = this.parts;
    const forLicenses = keys.licenseChange(org, 'none');
    await this.#tick(org, nowMs);
    await this.#endAllDue(keys.expiring(org), nowMs, async (user) => {
      const order = { actor: 'broker' };
      const { outcome } = await seats.ask<{ outcome: string }>('expire', { org, user }, order, forLicenses);
      return outcome === 'done';
    });
    return this.#endAllDue(
      keys.active(org),
      nowMs,
      async (user) => (await seats.run('sweep', { org, user }, {})) === 1,
    );
  }

  /** Ends all that is due by an index of ends, and gives how many it was: a crashed node may leave many (promise 7). */
  async #endAllDue(index: string, nowMs: number, end: (user: string) => Promise<boolean>): Promise<number> {
    const { redis } = this.parts;
    for (let total = 0; ; ) {
      const users = await redis.zrangebyscore(index, '-inf', Math.floor(nowMs), 'LIMIT', 0, BATCH);
      const ended = (await Promise.all(users.map(end))).filter(Boolean).length;
      total += ended;
      // By the clock of the org's own server none of them may be due yet: then they are again next time.
      if (users.length < BATCH || ended === 0) return total;
    }
  }

  /** Once a minute, so that time in use is counted in the hour it fell in, and each hour has its peak. */
  async #tick(org: string, nowMs: number): Promise<void> {
    const minute = Math.floor(nowMs / MINUTE_MS);
    if (this.#ticked.get(org) === minute) return;
    await this.parts.seats.run('tick', { org, user: '' }, {});
    this.#ticked.set(org, minute);
  }
}
