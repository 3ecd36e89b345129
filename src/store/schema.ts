import type { KeyNames } from './keys.js';
import type { RedisConnection } from './redis.js';
import { UnsuitableRedis } from './redis-inspection.js';

/**
 * The version of the data in Redis, `major.minor`. A minor step only adds what the version before ignores, so that
 * nodes of neighbouring minors run side by side. A major step is made by hand, never by the start of a node.
 *
 * 0.1 had no key for it. 0.2 adds reigns, ranks and the copy of each active lease.
 */
export const SCHEMA = '0.2';

const form = /^(\d{1,6})\.(\d{1,6})$/;

/** Rejects with UnsuitableRedis where the data is of a version that this program cannot read. */
export async function checkSchema(redis: RedisConnection, keys: KeyNames): Promise<void> {
  const found = await redis.get(keys.schema);
  const problem = found === null ? null : problemOf(found);
  if (problem !== null) throw new UnsuitableRedis(problem);
  await markSchema(redis, keys);
}

/** Writes the version where there is none, or an older one: after a loss of all data too. */
export async function markSchema(redis: RedisConnection, keys: KeyNames): Promise<void> {
  const found = await redis.get(keys.schema);
  if (found === null || isOlder(found)) await redis.set(keys.schema, SCHEMA);
}

function problemOf(found: string): string | null {
  const [mine, theirs] = [partsOf(SCHEMA), partsOf(found)];
  if (theirs === null) return `the key for the version of the data holds no version, as ${SCHEMA}`;
  if (theirs[0] === mine?.[0]) return null;
  const whatToDo =
    theirs[0] > (mine?.[0] ?? 0) ? 'start a newer Soleseat on it' : 'bring it to this version first';
  return `the data in Redis is of version ${found}, and this Soleseat reads ${SCHEMA}: ${whatToDo}`;
}

function isOlder(found: string): boolean {
  const [mine, theirs] = [partsOf(SCHEMA), partsOf(found)];
  return mine !== null && theirs !== null && theirs[0] === mine[0] && theirs[1] < mine[1];
}

function partsOf(version: string): readonly [major: number, minor: number] | null {
  const parts = form.exec(version);
  return parts === null ? null : [Number(parts[1]), Number(parts[2])];
}
