import { reachStore } from './errors.js';
import type { KeyNames } from './keys.js';
import type { Page } from './license-types.js';
import { BadCursor, cursorOf, readCursor } from './paging.js';
import type { RedisConnection } from './redis.js';
import { type LeaseRecord, parseLease } from './replies.js';

/** A session as its lease tells of it, whichever node serves it. */
export interface LiveSession extends LeaseRecord {
  readonly user: string;
  /** Time left to the lease by Redis. */
  readonly ttlMs: number;
}

/** How many entries one step of a scan looks at. */
const SCAN_COUNT = 500;
/** A page ends after so many looked at, found or not, so that a search of a large org comes in pieces. */
const SCAN_LIMIT = 20_000;

/** Who has the seat, and who all are in. Reads only; rejects with StoreUnavailable or BadCursor. */
export class Sessions {
  constructor(private readonly parts: { readonly redis: RedisConnection; readonly keys: KeyNames }) {}

  /** The session that has the user's seat. */
  async get(org: string, user: string): Promise<LiveSession | null> {
    return (await reachStore(() => this.#read(org, [user])))[0] ?? null;
  }

  /** Whether this session and epoch are still the owner's (promise 1). */
  async isOwner(org: string, user: string, sessionId: string, epoch: number): Promise<boolean> {
    const session = await this.get(org, user);
    return session !== null && session.sessionId === sessionId && session.epoch === epoch;
  }

  /**
   * A page of live sessions whose user begins with a text, in no particular order. A session that is there all the
   * time is on one page at least; a page may be shorter than asked for, also empty, while `next` goes on.
   */
  async page(
    org: string,
    userPrefix: string,
    cursor: string | null,
    limit: number,
  ): Promise<Page<LiveSession>> {
    let [place, skip] = cursor === null ? ['0', 0] : scanPlace(cursor);
    const pattern = `${userPrefix.replace(/[\\*?[\]^-]/g, '\\$&')}*`;
    const { redis, keys } = this.parts;
    return reachStore(async () => {
      const items: LiveSession[] = [];
      for (let looked = 0; ; looked += SCAN_COUNT) {
        const [after, flat] = await redis.zscan(
          keys.active(org),
          place,
          'MATCH',
          pattern,
          'COUNT',
          SCAN_COUNT,
        );
        const users = flat.filter((_, index) => index % 2 === 0);
        const chosen = users.slice(skip, skip + limit - items.length);
        items.push(...(await this.#read(org, chosen)).filter((one) => one !== null));
        if (skip + chosen.length < users.length) {
          return { items, next: cursorOf([place, skip + chosen.length]) };
        }
        if (after === '0') return { items, next: null };
        [place, skip] = [after, 0];
        if (items.length >= limit || looked >= SCAN_LIMIT) return { items, next: cursorOf([place, 0]) };
      }
    });
  }

  async #read(org: string, users: readonly string[]): Promise<(LiveSession | null)[]> {
    const { redis, keys } = this.parts;
    return Promise.all(
      users.map(async (user) => {
        const key = keys.lease(org, user);
        const [value, ttlMs] = await Promise.all([redis.get(key), redis.pttl(key)]);
        const lease = value === null ? null : parseLease(value);
        return lease && ttlMs >= 0 ? { user, ttlMs, ...lease } : null;
      }),
    );
  }
}

function scanPlace(cursor: string): [string, number] {
  const [place, skip] = readCursor(cursor);
  const isPlace = typeof place === 'string' && /^\d{1,20}$/.test(place) && BigInt(place) < 2n ** 64n;
  if (!isPlace || typeof skip !== 'number' || !Number.isSafeInteger(skip) || skip < 0) throw new BadCursor();
  return [place, skip];
}
