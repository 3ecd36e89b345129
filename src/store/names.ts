import type { KeyNames } from './keys.js';
import type { RedisConnection } from './redis.js';

/** The users whom an org's past names by random keys (lua/past.lua). Rejects as ioredis does. */
export class Names {
  constructor(private readonly parts: { readonly redis: RedisConnection; readonly keys: KeyNames }) {}

  /** The users of these keys. One that has been forgotten is missing. */
  async of(org: string, userKeys: Iterable<string>): Promise<ReadonlyMap<string, string>> {
    const { redis, keys } = this.parts;
    const asked = [...new Set(userKeys)];
    if (asked.length === 0) return new Map();
    const users = await redis.hmget(keys.names(org), ...asked);
    return new Map(
      asked.flatMap((key, index) => {
        const user = users[index];
        return user == null ? [] : [[key, user] as const];
      }),
    );
  }
}
