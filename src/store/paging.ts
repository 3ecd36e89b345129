import type { Page } from './license-types.js';
import type { RedisConnection } from './redis.js';

/** The cursor is none that this list has given. */
export class BadCursor extends Error {
  constructor() {
    super('the cursor is not one of this list');
  }
}

/**
 * One page of a sorted set, by rising score. The cursor names the last member seen; where that one has left meanwhile,
 * the page goes on at its score, and may then show a few members again.
 */
export async function pageByScore(
  redis: RedisConnection,
  key: string,
  cursor: string | null,
  limit: number,
  untilScore?: number,
): Promise<Page<string>> {
  const start = cursor === null ? 0 : await rankAfter(redis, key, readCursor(cursor));
  const flat = await redis.zrange(key, String(start), String(start + limit), 'WITHSCORES');
  const found = [];
  for (let index = 0; index < flat.length; index += 2) {
    found.push({ member: flat[index] ?? '', score: Number(flat[index + 1]) });
  }
  const wanted = found.filter(({ score }) => untilScore === undefined || score < untilScore);
  const page = wanted.slice(0, limit);
  const last = page.at(-1);
  const next = wanted.length > limit && last !== undefined ? cursorOf([last.score, last.member]) : null;
  return { items: page.map(({ member }) => member), next };
}

async function rankAfter(redis: RedisConnection, key: string, place: readonly unknown[]): Promise<number> {
  const [score, member] = place;
  if (typeof score !== 'number' || typeof member !== 'string') throw new BadCursor();
  const rank = await redis.zrank(key, member);
  return rank === null ? redis.zcount(key, '-inf', `(${score}`) : rank + 1;
}

/** A cursor that stands for a place in a list, opaque to who is given it. */
export function cursorOf(place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** The place that a cursor stands for. Throws BadCursor. */
export function readCursor(cursor: string): readonly unknown[] {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    // One that cursorOf did not write so is none: base64 and JSON are read with a forbearance that is not wanted here.
    if (Array.isArray(place) && cursorOf(place) === cursor) return place;
  } catch {
    // Falls through to the one answer.
  }
  throw new BadCursor();
}
