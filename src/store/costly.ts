import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { reachStore, StoreUnavailable } from './errors.js';
import type { KeyNames } from './keys.js';
import type { RedisConnection } from './redis.js';

const MINUTE_MS = 60_000;
/** The lock of a recount whose node has died ends after this. */
const LOCK_MS = 10_000;
const LOOK_EVERY_MS = 100;

/**
 * What asks much of Redis, over all nodes together (promise 16): how often one token may ask for it, and one recount of an org at a
 * time. With its memory full Redis can note neither: then all is let through, as an export may be what the operator needs. Rejects
 * with StoreUnavailable.
 */
export class Costly {
  constructor(
    private readonly redis: RedisConnection,
    private readonly keys: KeyNames,
  ) {}

  /** Counts one more for this name in its minute, which begins with the first. */
  async count(name: string): Promise<{ readonly count: number; readonly leftMs: number }> {
    const { redis } = this;
    const key = this.keys.budget(createHash('sha256').update(name).digest('base64url'));
    // It has an end from the first moment on, whatever becomes of this node.
    const asked = () =>
      Promise.all([redis.set(key, '0', 'PX', MINUTE_MS, 'NX'), redis.incr(key), redis.pttl(key)]);
    const [, count, leftMs] = await unlessFull(asked, [null, 0, 0]);
    return { count, leftMs: Math.max(1, leftMs) };
  }

  /**
   * Recounts an org (`*`: the totals), one recount of it at a time: a request that comes meanwhile, at whatever node, gets the running
   * one's answer. A repair waits for a recount that only looks. An answer is plain JSON.
   */
  async recount<T>(org: string, repairs: boolean, work: () => Promise<T>): Promise<T> {
    const { redis } = this;
    const lock = this.keys.recount(org);
    const own = `${repairs ? 'repair' : 'look'}:${randomUUID()}`;
    const take = () => unlessFull(() => redis.set(lock, own, 'PX', LOCK_MS, 'NX'), 'OK');
    while ((await take()) === null) {
      const other = await reachStore(() => redis.get(lock));
      if (other === null) continue;
      const answer = await this.#ended(org, other);
      if (answer !== null && (!repairs || other.startsWith('repair:'))) return JSON.parse(answer) as T;
    }
    const beat = setInterval(() => void redis.pexpire(lock, LOCK_MS).catch(() => {}), LOCK_MS / 4);
    try {
      const answer = await work();
      const kept = JSON.stringify(answer);
      await unlessFull(() => redis.set(this.keys.recounted(org, own), kept, 'PX', MINUTE_MS), null);
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
      // The lock first: the answer is there before it goes.
      const [running, answer] = await reachStore(() =>
        Promise.all([redis.get(keys.recount(org)), redis.get(keys.recounted(org, other))]),
      );
      if (answer !== null || running !== other) return answer;
      await pause(LOOK_EVERY_MS);
    }
  }
}

/** What Redis gives, or something else where it has no memory left for it. */
async function unlessFull<T, U>(operation: () => Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await reachStore(operation);
  } catch (error) {
    if (error instanceof StoreUnavailable && error.isFull) return otherwise;
    throw error;
  }
}
