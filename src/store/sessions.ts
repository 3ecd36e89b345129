import { caseFolded } from '../protocol/text.js';
import { reachStore } from './errors.js';
import type { KeyNames } from './keys.js';
import type { Page } from './license-types.js';
import { BadCursor, cursorOf, readCursor } from './paging.js';
import type { RedisConnection } from './redis.js';
import { type LeaseRecord, parseLease } from './replies.js';
import type { Spellings } from './spellings.js';

/** A session as its lease tells of it, whichever node serves it. */
export interface LiveSession extends LeaseRecord {
  readonly user: string;
  /** Time left to the lease by Redis. */
  readonly ttlMs: number;
  /** When somebody was last at work, by Redis's clock; null: the program does not tell. */
  readonly activeAtMs: number | null;
}

/** How many entries one step of a scan looks at. */
const SCAN_COUNT = 500;
/** A page ends after so many looked at, found or not, so that a search of a large org comes in pieces. */
const SCAN_LIMIT = 20_000;

/** Far more than a step gives beyond what it is asked for. */
const MOST_IN_CURSOR = 1_000;
/** The first part of a cursor whose second one is the last user given. */
const BY_NAME = 'name';

interface Search {
  readonly org: string;
  readonly pattern: string;
  readonly fits: (user: string) => boolean;
  readonly limit: number;
}

/** Where a walk through a table stands: '0' at its end. What was found and not given yet comes first. */
interface Walk {
  readonly place: string;
  readonly found: readonly string[];
}

/** Who has the seat, and who all are in. Reads only; rejects with StoreUnavailable or BadCursor. */
export class Sessions {
  constructor(
    private readonly parts: {
      readonly redis: RedisConnection;
      readonly keys: KeyNames;
      readonly spellings: Spellings;
      readonly nowMs: () => number;
      readonly leaseTtlMs: number;
    },
  ) {}

  /** By which name the org knows the user of a token: by its own spelling, and after a renaming by the new one. */
  async knownAs(org: string, name: string): Promise<string> {
    const { redis, keys, spellings } = this.parts;
    const kept = await spellings.kept(org, name);
    const [renamed, hasLicense] = await reachStore(() =>
      Promise.all([redis.get(keys.renamed(org, kept)), redis.hexists(keys.license(org, kept), 'id')]),
    );
    return renamed !== null && hasLicense === 0 ? renamed : kept;
  }

  /** The session that has the user's seat. */
  async get(org: string, user: string): Promise<LiveSession | null> {
    return (await reachStore(() => this.#read(org, [user])))[0] ?? null;
  }

  /** For how long nobody of the user has been at work; null: no program tells. */
  async idleMsOf(org: string, user: string): Promise<number | null> {
    const { redis, keys, nowMs } = this.parts;
    const [activeAt, sharers] = await reachStore(() =>
      Promise.all([redis.zscore(keys.idle(org), user), redis.hvals(keys.sharers(org, user))]),
    );
    // A program that does not tell is never idle [broker-idle-told].
    if (sharers.some((text) => (JSON.parse(text) as { idle?: string }).idle === undefined)) return 0;
    return activeAt === null ? null : Math.max(0, nowMs() - Number(activeAt));
  }

  /** The session, where this sessionId and epoch own the user's seat (promise 1): any epoch since the person's act. */
  async ownedBy(org: string, user: string, sessionId: string, epoch: number): Promise<LiveSession | null> {
    const session = await this.get(org, user);
    const isOwner = session?.sessionId === sessionId && session.rank <= epoch && epoch <= session.epoch;
    return isOwner ? session : null;
  }

  /** A page of those who took their seat along and whose name begins so, by when it ends; it may be shorter while `next` goes on. Leases of nodes end sooner than two TTLs from now. */
  async onLeave(
    org: string,
    userPrefix: string,
    cursor: string | null,
    limit: number,
  ): Promise<Page<LiveSession>> {
    const { redis, keys, nowMs, leaseTtlMs } = this.parts;
    const offset = cursor === null ? 0 : offsetIn(cursor);
    const from = Math.ceil(nowMs() + 2 * leaseTtlMs);
    return reachStore(async () => {
      const users = await redis.zrangebyscore(keys.active(org), from, '+inf', 'LIMIT', offset, limit + 1);
      const { fits } = await this.#beginningWith(org, userPrefix);
      const chosen = users.slice(0, limit).filter(fits);
      const found = await this.#read(org, chosen);
      const items = found.filter((one) => one?.leaveUntilMs !== undefined) as LiveSession[];
      return { items, next: users.length > limit ? cursorOf([String(offset + limit)]) : null };
    });
  }

  /**
   * A page of live sessions whose user begins with a text, in no particular order. A session that is there all the
   * time is on one page at least, whoever comes or leaves between two pages; a page may be shorter than asked for, also
   * empty, while `next` goes on.
   */
  async page(
    org: string,
    userPrefix: string,
    cursor: string | null,
    limit: number,
  ): Promise<Page<LiveSession>> {
    const from = cursor === null ? { lastGiven: '' } : placeOf(cursor);
    const search = { org, limit, ...(await this.#beginningWith(org, userPrefix)) };
    return reachStore(async () => {
      if (!('lastGiven' in from)) return this.#walk(search, from);
      const first = await this.#step(search, '0', limit);
      if (first.place !== '0') return this.#walk(search, first);
      // All in one reply, as Redis gives a short list: in the order of names, which no leaving changes.
      const rest = first.found.filter((user) => user > from.lastGiven).sort();
      const chosen = rest.slice(0, limit);
      const items = (await this.#read(org, chosen)).filter((one) => one !== null);
      const isMore = rest.length > chosen.length;
      return { items, next: isMore ? cursorOf([BY_NAME, chosen.at(-1) ?? '']) : null };
    });
  }

  /** Users whose names begin so, in any case where the org ignores it. Redis looks at ASCII letters alone. */
  async #beginningWith(org: string, text: string): Promise<Pick<Search, 'pattern' | 'fits'>> {
    const exact = text.replace(/[\\*?[\]^-]/g, '\\$&');
    if (text === '' || !(await this.parts.spellings.ignoresCase(org)))
      return { pattern: `${exact}*`, fits: (user) => user.startsWith(text) };
    const either = exact
      .replace(/[a-z]/gi, (letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}]`)
      .replace(/[^\0-\x7f]+/g, '*');
    const folded = caseFolded(text);
    return { pattern: `${either}*`, fits: (user) => caseFolded(user).startsWith(folded) };
  }

  /**
   * Goes on with a walk through a table. A step that gave more than there was room for is not made again: its table may
   * have been resized meanwhile, and then it would give others.
   */
  async #walk(search: Search, from: Walk): Promise<Page<LiveSession>> {
    const { org, limit } = search;
    const items: LiveSession[] = [];
    const given = new Set<string>();
    let { place, found } = from;
    for (let looked = 0; ; looked += SCAN_COUNT) {
      while (found.length > 0 && items.length < limit) {
        const room = limit - items.length;
        // While the table is resized a walk may give one twice.
        const users = found.slice(0, room).filter((user) => !given.has(user));
        for (const user of users) given.add(user);
        items.push(...(await this.#read(org, users)).filter((one) => one !== null));
        found = found.slice(room);
      }
      if (found.length === 0 && place === '0') return { items, next: null };
      if (items.length >= limit || looked >= SCAN_LIMIT) return { items, next: cursorOf([place, ...found]) };
      ({ place, found } = await this.#step(search, place, limit - items.length));
    }
  }

  /** One step of a walk, which gives little more than there is room for: the rest has to stand in the cursor. */
  async #step({ org, pattern, fits }: Search, from: string, room: number): Promise<Walk> {
    const { redis, keys } = this.parts;
    const scan = async (count: number): Promise<Walk> => {
      const [place, flat] = await redis.zscan(keys.active(org), from, 'MATCH', pattern, 'COUNT', count);
      return { place, found: flat.filter((user, index) => index % 2 === 0 && fits(user)) };
    };
    // A search finds few, and looks at many.
    const step = await scan(pattern === '*' ? room : SCAN_COUNT);
    const isWhole = from === '0' && step.place === '0';
    return step.found.length > room && !isWhole ? scan(room) : step;
  }

  async #read(org: string, users: readonly string[]): Promise<(LiveSession | null)[]> {
    const { redis, keys } = this.parts;
    return Promise.all(
      users.map(async (user) => {
        const key = keys.lease(org, user);
        const [value, ttlMs, activeAt] = await Promise.all([
          redis.get(key),
          redis.pttl(key),
          redis.zscore(keys.idle(org), user),
        ]);
        const lease = value === null ? null : parseLease(value);
        const activeAtMs = activeAt === null ? null : Number(activeAt);
        return lease && ttlMs >= 0 ? { user, ttlMs, activeAtMs, ...lease } : null;
      }),
    );
  }
}

function offsetIn(cursor: string): number {
  const [offset, ...more] = readCursor(cursor);
  if (typeof offset !== 'string' || !/^\d{1,9}$/.test(offset) || more.length > 0) throw new BadCursor();
  return Number(offset);
}

function placeOf(cursor: string): Walk | { readonly lastGiven: string } {
  const [place, ...users] = readCursor(cursor);
  const areNames = users.every((user) => typeof user === 'string');
  if (typeof place !== 'string' || !areNames || users.length > MOST_IN_CURSOR) throw new BadCursor();
  if (place === BY_NAME && users.length === 1) return { lastGiven: users[0] ?? '' };
  if (!/^\d{1,20}$/.test(place) || BigInt(place) >= 2n ** 64n) throw new BadCursor();
  return { place, found: users };
}
