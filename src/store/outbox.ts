import { reachStore } from './errors.js';
import {
  compareIds as comparePlaces,
  type Entry,
  entryFields,
  eventOf,
  type ReadEntry,
  type StoredEvent,
  userKeysIn,
} from './event-entries.js';
import type { IndexKeys, KeyNames } from './keys.js';
import type { Page } from './license-types.js';
import type { Names } from './names.js';
import { cursorOf, readCursor } from './paging.js';
import type { RedisConnection } from './redis.js';
import type { Scripts } from './scripts.js';
import type { Webhook, Webhooks } from './webhooks.js';

/** An event in the outbox. */
export interface Posted {
  /** Its place in the outbox. */
  readonly place: string;
  readonly org: string;
  /** Events of one such key are delivered one after another. */
  readonly key: string;
  /** Only for this webhook: an event that is sent again. */
  readonly only: string | null;
  readonly entry: ReadEntry;
}

/** What waits to be tried again, `nextMs` in Unix ms by Redis's clock; or what waits behind such an event of the same key. */
export interface Waiting {
  readonly key: string;
  readonly attempts: number;
  readonly nextMs: number;
  readonly error: string;
}

/** How far a webhook has got in one index. */
export interface Progress {
  /** All before and at this place is delivered, or waits. */
  readonly after: string;
  readonly waiting: ReadonlyMap<string, Waiting>;
}

/** An event that could not be delivered within a day. */
export interface ParkedEvent {
  readonly id: string;
  readonly org: string;
  readonly event: StoredEvent;
  readonly attempts: number;
  readonly error: string;
  readonly parkedAtMs: number;
}

const PARKED_KEPT = 10_000;
const WAITING = 'w:';
const FIELDS_AT_ONCE = 1_000;

export interface OutboxParts {
  readonly redis: RedisConnection;
  readonly keys: KeyNames;
  readonly scripts: Scripts;
  readonly names: Names;
  readonly webhooks: Pick<Webhooks, 'indexes'>;
}

/** The events that webhooks want, until they are delivered. Rejects with StoreUnavailable. */
export class Outbox {
  constructor(private readonly parts: OutboxParts) {}

  /** Whether it is this node's turn to deliver, for so long from when it asked. */
  async takeTurn(nodeId: string, forMs: number): Promise<boolean> {
    return (await reachStore(() => this.parts.scripts.run('turn', 'server', [nodeId, forMs]))) === 1;
  }

  /** What stands in the outbox behind a place, oldest first. */
  async posted(index: IndexKeys, after: string, count: number): Promise<Posted[]> {
    const entries = await reachStore(() =>
      this.parts.redis.xrange(index.outbox, `(${after}`, '+', 'COUNT', count),
    );
    return entries.map(postedOf);
  }

  /** The newest place of the outbox; 0-0 where it is empty. */
  async newestPlace(index: IndexKeys): Promise<string> {
    const [newest] = await reachStore(() => this.parts.redis.xrevrange(index.outbox, '+', '-', 'COUNT', 1));
    return newest?.[0] ?? '0-0';
  }

  /** One event of the outbox; null where it is there no more. */
  async at(index: IndexKeys, place: string): Promise<Posted | null> {
    const [entry] = await reachStore(() => this.parts.redis.xrange(index.outbox, place, place));
    return entry === undefined ? null : postedOf(entry);
  }

  /** The events with the names of users. */
  async named(org: string, entries: readonly ReadEntry[]): Promise<StoredEvent[]> {
    const names = await reachStore(() => this.parts.names.of(org, userKeysIn(entries)));
    return entries.map((entry) => eventOf(entry, names));
  }

  /** Removes what is before a place. */
  async trim(index: IndexKeys, before: string): Promise<void> {
    await reachStore(() => this.parts.redis.xtrim(index.outbox, 'MINID', before));
  }

  /** How far the webhook has got; null where it has not begun. */
  async progress(index: IndexKeys, id: string): Promise<Progress | null> {
    const { redis, keys } = this.parts;
    const fields = await reachStore(() => redis.hgetall(keys.webhookState(index.tag, id)));
    if (fields.after === undefined) return null;
    const waiting = Object.entries(fields)
      .filter(([name]) => name.startsWith(WAITING))
      .map(([name, text]) => [name.slice(WAITING.length), JSON.parse(text) as Waiting] as const)
      .sort(([one], [other]) => comparePlaces(one, other));
    return { after: fields.after, waiting: new Map(waiting) };
  }

  /** What `after` of `progress` is at present; null where nothing is noted. */
  async keptAfter(index: IndexKeys, id: string): Promise<string | null> {
    const { redis, keys } = this.parts;
    return reachStore(() => redis.hget(keys.webhookState(index.tag, id), 'after'));
  }

  /** Notes how far it has got: what waits first, then the place, then what waits no more. A crash between loses nothing. */
  async keep(
    index: IndexKeys,
    id: string,
    progress: Progress & { readonly settled: readonly string[] },
  ): Promise<void> {
    const { redis, keys } = this.parts;
    const state = keys.webhookState(index.tag, id);
    const { after, waiting, settled } = progress;
    await reachStore(async () => {
      for (const some of chunksOf([...waiting])) {
        const texts = some.flatMap(([place, one]) => [WAITING + place, JSON.stringify(one)]);
        await redis.hset(state, ...texts);
      }
      await redis.hset(state, 'after', after);
      for (const some of chunksOf(settled)) await redis.hdel(state, ...some.map((place) => WAITING + place));
    });
  }

  /** How many wait to be tried again, and how many could not be delivered, over all indexes. */
  async counts(id: string): Promise<{ readonly waiting: number; readonly parked: number }> {
    const { redis, keys } = this.parts;
    const indexes = await this.parts.webhooks.indexes();
    return reachStore(async () => {
      const each = await Promise.all(
        indexes.map(async ({ tag }) => {
          const [fields, parked] = await Promise.all([
            redis.hlen(keys.webhookState(tag, id)),
            redis.xlen(keys.webhookParked(tag, id)),
          ]);
          return { waiting: Math.max(0, fields - 1), parked };
        }),
      );
      const sum = (of: 'waiting' | 'parked') => each.reduce((total, one) => total + one[of], 0);
      return { waiting: sum('waiting'), parked: sum('parked') };
    });
  }

  /** Puts an event aside that could not be delivered. */
  async park(
    index: IndexKeys,
    id: string,
    posted: Posted,
    why: Pick<Waiting, 'attempts' | 'error'>,
  ): Promise<void> {
    const { redis, keys } = this.parts;
    const fields = [...posted.entry.fields].flat();
    const more = [
      'org',
      posted.org,
      'id',
      posted.entry.id,
      '!attempts',
      String(why.attempts),
      '!error',
      why.error,
    ];
    await reachStore(() =>
      redis.xadd(keys.webhookParked(index.tag, id), 'MAXLEN', '~', PARKED_KEPT, '*', ...more, ...fields),
    );
  }

  /** Events that were put aside, newest first, index by index. Rejects with BadCursor too. */
  async parked(id: string, cursor: string | null, limit: number): Promise<Page<ParkedEvent>> {
    const { redis, keys } = this.parts;
    const indexes = await this.parts.webhooks.indexes();
    const [from, before] = cursor === null ? [0, '+'] : (readCursor(cursor) as [number, string]);
    return reachStore(async () => {
      const items: ParkedEvent[] = [];
      for (let at = from; at < indexes.length; at += 1) {
        const key = keys.webhookParked(indexes[at]?.tag ?? '', id);
        const start = at === from && before !== '+' ? `(${before}` : '+';
        const room = limit - items.length;
        const entries = await redis.xrevrange(key, start, '-', 'COUNT', room);
        for (const entry of entries) items.push(await this.#parkedOf(entry));
        const last = entries.at(-1);
        if (items.length === limit && last !== undefined) return { items, next: cursorOf([at, last[0]]) };
      }
      return { items, next: null };
    });
  }

  /** Puts events that were put aside back into the outbox, for this webhook alone. Gives how many. */
  async replay(id: string, ids: ReadonlySet<string> | null): Promise<number> {
    const { redis, keys } = this.parts;
    let count = 0;
    for (const index of await this.parts.webhooks.indexes()) {
      const key = keys.webhookParked(index.tag, id);
      const entries = await reachStore(() => redis.xrange(key, '-', '+'));
      for (const [place, flat] of entries) {
        if (ids !== null && !ids.has(place)) continue;
        const fields = [...entryFields(flat)].filter(([name]) => !name.startsWith('!')).flat();
        // Back first, away after: a crash between sends it twice.
        await reachStore(() => redis.xadd(index.outbox, '*', 'only', id, ...fields));
        await reachStore(() => redis.xdel(key, place));
        count += 1;
      }
    }
    return count;
  }

  async #parkedOf([place, flat]: Entry): Promise<ParkedEvent> {
    const { org, entry } = postedOf([place, flat]);
    const fields = new Map(entry.fields);
    const attempts = Number(fields.get('!attempts') ?? 0);
    const error = fields.get('!error') ?? '';
    fields.delete('!attempts');
    fields.delete('!error');
    const [event] = await this.named(org, [{ id: entry.id, fields }]);
    return {
      id: place,
      org,
      event: event as StoredEvent,
      attempts,
      error,
      parkedAtMs: Number(place.split('-')[0]),
    };
  }
}

function* chunksOf<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += FIELDS_AT_ONCE) yield all.slice(at, at + FIELDS_AT_ONCE);
}

/** Whether the webhook wants to hear of it. */
export function wants(webhook: Webhook, { org, only, entry }: Posted): boolean {
  if (only !== null) return only === webhook.id;
  const type = entry.fields.get('type') ?? '';
  return (
    (webhook.orgs === null || webhook.orgs.includes(org)) &&
    (webhook.types === null || (webhook.types as readonly string[]).includes(type))
  );
}

function postedOf([place, flat]: Entry): Posted {
  const fields = entryFields(flat);
  const take = (name: string) => {
    const value = fields.get(name) ?? null;
    fields.delete(name);
    return value;
  };
  const org = take('org') ?? '';
  const id = take('id') ?? place;
  const only = take('only');
  const key = `${org} ${fields.get('userKey') ?? ''}`;
  return { place, org, key, only, entry: { id, fields } };
}
