import { reachStore } from './errors.js';
import {
  compareIds,
  type Entry,
  eventOf,
  inOrder,
  partsOf,
  type ReadEntry,
  type StoredEvent,
  userKeysIn,
} from './event-entries.js';
import type { Page } from './license-types.js';
import type { Names } from './names.js';
import { BadCursor, cursorOf, readCursor } from './paging.js';
import type { Scripts } from './scripts.js';

/** Only events that have all of these. */
export interface EventFilter {
  readonly type?: string;
  readonly user?: string;
  readonly machine?: string;
  readonly reason?: string;
  readonly actor?: string;
  /** Unix ms: not before this. */
  readonly fromMs?: number;
  /** Unix ms: before this. */
  readonly untilMs?: number;
}

/** Entries read at a time, of each stream. */
const BATCH = 500;
/** A page ends after so many looked at, found or not. */
const LOOK_LIMIT = 10_000;
/** Before all events. */
const FIRST_ID = '0-0';
const entryId = /^\d{1,15}-\d{1,10}$/;

/**
 * The past of an org, in one order: what people did and what sessions did (promise 14). Reads only, the scripts write it.
 * Rejects with StoreUnavailable or BadCursor.
 */
export class Events {
  constructor(private readonly parts: { readonly scripts: Scripts; readonly names: Names }) {}

  /** Newest first. A page may be shorter than asked for, also empty, while `next` goes on. */
  async page(
    org: string,
    filter: EventFilter,
    cursor: string | null,
    limit: number,
  ): Promise<Page<StoredEvent>> {
    let before = cursor === null ? `${filter.untilMs ?? Number.MAX_SAFE_INTEGER}-0` : placeOf(cursor);
    return reachStore(async () => {
      const items: StoredEvent[] = [];
      for (let looked = 0; looked < LOOK_LIMIT; looked += BATCH) {
        const events = await this.#before(org, before, filter.fromMs ?? 0);
        for (const event of events.slice(0, BATCH)) {
          if (matches(event, filter)) items.push(event);
          before = event.id;
          if (items.length === limit) return { items, next: cursorOf([before]) };
        }
        if (events.length < BATCH) return { items, next: null };
      }
      return { items, next: cursorOf([before]) };
    });
  }

  /** What came after an event, oldest first; after '0-0' is all that is kept. */
  async after(org: string, id: string, limit = BATCH): Promise<readonly StoredEvent[]> {
    if (!entryId.test(id)) throw new BadCursor();
    const [traffic, acts] = await this.#trail(org, 'XRANGE', [`(${id}`, '+', limit]);
    // Where one stream has more than was read, the other waits for it.
    const ends = [traffic, acts]
      .filter((some) => some.length === limit)
      .map((some) => some.at(-1)?.[0] ?? '');
    const entries = inOrder(traffic, acts);
    return this.#named(
      org,
      entries.filter(({ id }) => ends.every((end) => compareIds(id, end) <= 0)),
    );
  }

  /** The id of the newest event, '0-0' where there is none: where following begins. */
  async lastId(org: string): Promise<string> {
    const both = await this.#trail(org, 'XREVRANGE', ['+', '-', 1]);
    return inOrder(...both).at(-1)?.id ?? FIRST_ID;
  }

  /** Those before an id and not before a time, newest first: all, or at least BATCH. */
  async #before(org: string, id: string, fromMs: number): Promise<readonly StoredEvent[]> {
    // Redis refuses a range that ends before the first id.
    if (id === FIRST_ID) return [];
    const both = await this.#trail(org, 'XREVRANGE', [`(${id}`, fromMs, BATCH]);
    return this.#named(org, inOrder(...both).reverse());
  }

  async #named(org: string, entries: readonly ReadEntry[]): Promise<readonly StoredEvent[]> {
    const names = await reachStore(() => this.parts.names.of(org, userKeysIn(entries)));
    return entries.map((entry) => eventOf(entry, names));
  }

  async #trail(
    org: string,
    command: 'XRANGE' | 'XREVRANGE',
    stretch: readonly [from: string | number, to: string | number, count: number],
  ): Promise<[traffic: readonly Entry[], acts: readonly Entry[]]> {
    const reply = await reachStore(() => this.parts.scripts.run('trail', { org }, [command, ...stretch]));
    return reply as [Entry[], Entry[]];
  }
}

export function matches(event: StoredEvent, filter: EventFilter): boolean {
  const { fromMs = 0, untilMs = Number.POSITIVE_INFINITY } = filter;
  const [ms] = partsOf(event.id);
  if (ms < fromMs || ms >= untilMs) return false;
  return (['type', 'user', 'machine', 'reason', 'actor'] as const).every(
    (name) => filter[name] === undefined || filter[name] === event[name],
  );
}

function placeOf(cursor: string): string {
  const [id] = readCursor(cursor);
  if (typeof id !== 'string' || !entryId.test(id)) throw new BadCursor();
  return id;
}
