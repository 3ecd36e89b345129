import type { IndexKeys, KeyNames } from './keys.js';
import type { RedisConnection } from './redis.js';

const ORGS_PER_COMMAND = 500;

/** Lets orgs exist: names them, and in a cluster the slots that they are in. To be repeated, as Redis may lose it. */
export async function enterOrgs(
  redis: RedisConnection,
  keys: KeyNames,
  orgs: readonly string[],
): Promise<void> {
  for (const some of batchesOf(orgs)) {
    const slots = new Set(some.map((org) => keys.slotOf(org)).filter((slot) => slot !== null));
    await Promise.all([
      redis.sadd(keys.orgs, ...some),
      redis.zadd(keys.orgNames, ...some.flatMap((org) => [0, org])),
      ...(slots.size > 0 ? [redis.sadd(keys.slots, ...slots)] : []),
    ]);
  }
}

/** Has somebody look at these orgs at once. */
export async function bringDue(
  redis: RedisConnection,
  keys: KeyNames,
  orgs: readonly string[],
): Promise<void> {
  for (const some of batchesOf(orgs)) {
    const byIndex = groupBy(some, (org) => keys.indexOf(org).due);
    await Promise.all(
      [...byIndex].map(([due, here]) => redis.zadd(due, 'LT', ...here.flatMap((org) => [0, org]))),
    );
  }
}

/** Which orgs there are, and the indexes over them: one on a single server, in a cluster one for each slot in use. */
export class Directory {
  /** Slots seen in use: named anew where Redis has lost them. */
  readonly #slots = new Set<number>();

  constructor(
    private readonly redis: RedisConnection,
    private readonly keys: KeyNames,
  ) {}

  async indexes(): Promise<readonly IndexKeys[]> {
    const { redis, keys } = this;
    if (!redis.isCluster) return [keys.indexAt(null)];
    const named = new Set((await redis.smembers(keys.slots)).map(Number));
    const lost = [...this.#slots].filter((slot) => !named.has(slot));
    for (const slot of named) this.#slots.add(slot);
    if (lost.length > 0) await redis.sadd(keys.slots, ...lost);
    return [...this.#slots].map((slot) => keys.indexAt(slot));
  }

  /** All orgs, some at a time. For what belongs to an upgrade, or to somebody who asks: never for a timer. */
  async *all(): AsyncGenerator<readonly string[]> {
    let cursor = '0';
    do {
      const [next, orgs] = await this.redis.sscan(this.keys.orgs, cursor, 'COUNT', ORGS_PER_COMMAND);
      if (orgs.length > 0) yield orgs;
      cursor = next;
    } while (cursor !== '0');
  }
}

export function groupBy(orgs: Iterable<string>, groupOf: (org: string) => string): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const org of orgs) {
    const group = groups.get(groupOf(org));
    if (group === undefined) groups.set(groupOf(org), [org]);
    else group.push(org);
  }
  return groups;
}

function* batchesOf(orgs: readonly string[]): Generator<readonly string[]> {
  for (let from = 0; from < orgs.length; from += ORGS_PER_COMMAND)
    yield orgs.slice(from, from + ORGS_PER_COMMAND);
}
