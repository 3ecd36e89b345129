import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { reachStore } from './errors.js';
import type { KeyNames } from './keys.js';
import type { RedisConnection } from './redis.js';

const MINUTE_MS = 60_000;
/** The lock of a recount whose node has died ends after this. */
const LOCK_MS = 10_000;
const LOOK_EVERY_MS = 100;

/**
 * What asks much of Redis, over all nodes together (promise 16): how often one token may ask for it, and one recount of an org at a
 * time. Rejects with StoreUnavailable.
 */
export class Costly {
  constructor(
    private readonly redis: RedisConnection,
    private readonly keys: KeyNames,
  ) {}

  /** Counts one more for this name in its minute, which begins with the first. */
  async count(name: string): Promise<{ readonly count: number; readonly leftMs: number }> {
    const key = this.keys.budget(createHash('sha256').update(name).digest('base64url'));
    return reachStore(async () => {
      const count = await this.redis.incr(key);
      const leftMs = await this.redis.pttl(key);
      if (leftMs > 0) return { count, leftMs };
      await this.redis.pexpire(key, MINUTE_MS);
      return { count, leftMs: MINUTE_MS };
    });
  }

  /**
   * Recounts an org (`*`: the totals), one recount of it at a time: a request that comes meanwhile, at whatever node, gets the running
   * one's answer. A repair waits for a recount that only looks. An answer is plain JSON.
   */
  async recount<T>(org: string, repairs: boolean, work: () => Promise<T>): Promise<T> {
    const { redis } = this;
    const lock = this.keys.recount(org);
    const own = `${repairs ? 'repair' : 'look'}:${randomUUID()}`;
    while ((await reachStore(() => redis.set(lock, own, 'PX', LOCK_MS, 'NX'))) === null) {
      const other = await reachStore(() => redis.get(lock));
      if (other === null) continue;
      const answer = await this.#ended(org, other);
      if (answer !== null && (!repairs || other.startsWith('repair:'))) return JSON.parse(answer) as T;
    }
    const beat = setInterval(() => void redis.pexpire(lock, LOCK_MS).catch(() => {}), LOCK_MS / 4);
    try {
      const answer = await work();
      await reachStore(() =>
        redis.set(this.keys.recounted(org, own), JSON.stringify(answer), 'PX', MINUTE_MS),
      );
      return answer;
    } finally {
      clearInterval(beat);
      // Where this node stood still for long, the lock is another one's by now.
      if ((await redis.get(lock).catch(() => null)) === own) await redis.del(lock).catch(() => {});
    }
  }

  /** Waits until this recount has ended. Gives its answer; null where it failed. */
  async #ended(org: string, other: string): Promise<string | null> {
    const { redis, keys } = this;
    for (;;) {
      const [answer, running] = await reachStore(() =>
        Promise.all([redis.get(keys.recounted(org, other)), redis.get(keys.recount(org))]),
      );
      if (answer !== null || running !== other) return answer;
      await pause(LOOK_EVERY_MS);
    }
  }
}
