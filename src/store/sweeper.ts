import type { KeyNames } from './keys.js';
import type { RedisConnection } from './redis.js';
import type { RedisClock } from './redis-clock.js';
import type { SeatScripts } from './seat-scripts.js';
import { reachStore } from './seat-scripts.js';

/** Users at a time: their scripts leave in one write. */
const BATCH = 200;
const MINUTE_MS = 60_000;

export interface SweeperParts {
  readonly redis: RedisConnection;
  readonly seats: SeatScripts;
  readonly keys: KeyNames;
  readonly nodeId: string;
  readonly redisClock: RedisClock;
}

/** What must happen though nobody asks for it: run-out leases, licenses whose time has come, time in use. */
export class Sweeper {
  /** org → the minute of its last tick by this node. */
  readonly #ticked = new Map<string, number>();

  constructor(private readonly parts: SweeperParts) {}

  /**
   * Takes run-out sessions of all orgs out of the counts and ends licenses whose time has come, unless another node
   * has just done so. Gives the number of sessions swept. Rejects with StoreUnavailable only.
   */
  async sweep(everyMs: number): Promise<number> {
    return reachStore(async () => {
      const forMs = Math.ceil(everyMs * 0.8);
      const turn = await this.parts.redis.set(
        this.parts.keys.sweepTurn,
        this.parts.nodeId,
        'PX',
        forMs,
        'NX',
      );
      if (turn === null) return 0;
      const nowMs = await this.#nowMs();
      let swept = 0;
      for (const org of await this.parts.redis.smembers(this.parts.keys.orgs)) {
        await this.#tick(org, nowMs);
        await this.#expireLicenses(org, nowMs);
        swept += await this.#sweepLeases(org, nowMs);
      }
      return swept;
    });
  }

  /** Marks this node as alive and its orgs as in use, also after Redis lost everything. */
  async heartbeat(orgs: readonly string[]): Promise<void> {
    await reachStore(async () => {
      await this.parts.redis.zadd(this.parts.keys.nodes, Math.round(await this.#nowMs()), this.parts.nodeId);
      if (orgs.length > 0) await this.parts.redis.sadd(this.parts.keys.orgs, ...orgs);
    });
  }

  /** Takes this node out of the directory at its end. */
  async leave(): Promise<void> {
    await reachStore(() => this.parts.redis.zrem(this.parts.keys.nodes, this.parts.nodeId));
  }

  async #sweepLeases(org: string, nowMs: number): Promise<number> {
    for (let swept = 0; ; ) {
      const users = await this.#due(this.parts.keys.active(org), nowMs);
      const replies = await Promise.all(
        users.map((user) => this.parts.seats.run('sweep', { org, user }, {})),
      );
      swept += replies.filter((reply) => reply === 1).length;
      // A crashed node may leave more than one batch: all are out of the counts in this turn (promise 7).
      if (users.length < BATCH) return swept;
    }
  }

  async #expireLicenses(org: string, nowMs: number): Promise<void> {
    for (;;) {
      const users = await this.#due(this.parts.keys.expiring(org), nowMs);
      const more = this.parts.keys.licenseChange(org, 'none');
      await Promise.all(
        users.map((user) => this.parts.seats.run('expire', { org, user }, { actor: 'broker' }, more)),
      );
      if (users.length < BATCH) return;
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

  async #nowMs(): Promise<number> {
    const known = this.parts.redisClock.nowMs();
    if (known !== null) return known;
    const [seconds, micros] = await this.parts.redis.time();
    return this.parts.redisClock.learn(Number(seconds) * 1000 + Number(micros) / 1000);
  }
}
