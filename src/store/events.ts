import { eventNamed } from '../protocol/event-types.js';
import { reachStore } from './errors.js';
import type { KeyNames } from './keys.js';
import type { Page } from './license-types.js';
import { BadCursor, cursorOf, readCursor } from './paging.js';
import type { Scripts } from './scripts.js';

/** One entry of an org's audit trail. */
export interface AuditEvent {
  /** `<Unix ms>-<sequence>`, rising: in the order in which things happened, over both streams. */
  readonly id: string;
  /** Of event-types.ts, or one that a newer version wrote. */
  readonly type: string;
  /** Unix ms by Redis's clock. */
  readonly at: number;
  /** Who did it: `user`, `broker`, or the `sub` of an admin's token. */
  readonly actor?: string;
  /** Of an actor who has an admin's token. */
  readonly role?: string;
  readonly user?: string;
  readonly machine?: string;
  readonly reason?: string;
  readonly sessionId?: string;
  readonly epoch?: number;
  readonly node?: string;
  /** What else belongs to this type: license, note, to, expiresAt, changed settings. */
  readonly details: Readonly<Record<string, string>>;
}

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

type Entry = readonly [id: string, fields: readonly string[]];

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
  constructor(private readonly parts: { readonly scripts: Scripts; readonly keys: KeyNames }) {}

  /** Newest first. A page may be shorter than asked for, also empty, while `next` goes on. */
  async page(
    org: string,
    filter: EventFilter,
    cursor: string | null,
    limit: number,
  ): Promise<Page<AuditEvent>> {
    let before = cursor === null ? `${filter.untilMs ?? Number.MAX_SAFE_INTEGER}-0` : placeOf(cursor);
    return reachStore(async () => {
      const items: AuditEvent[] = [];
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
  async after(org: string, id: string, limit = BATCH): Promise<readonly AuditEvent[]> {
    if (!entryId.test(id)) throw new BadCursor();
    const [traffic, acts] = await this.#trail(org, 'XRANGE', [`(${id}`, '+', limit]);
    // Where one stream has more than was read, the other waits for it.
    const ends = [traffic, acts]
      .filter((some) => some.length === limit)
      .map((some) => some.at(-1)?.[0] ?? '');
    return inOrder(traffic, acts).filter((event) => ends.every((end) => compareIds(event.id, end) <= 0));
  }

  /** The id of the newest event, '0-0' where there is none: where following begins. */
  async lastId(org: string): Promise<string> {
    const both = await this.#trail(org, 'XREVRANGE', ['+', '-', 1]);
    return inOrder(...both).at(-1)?.id ?? FIRST_ID;
  }

  /** Those before an id and not before a time, newest first: all, or at least BATCH. */
  async #before(org: string, id: string, fromMs: number): Promise<readonly AuditEvent[]> {
    // Redis refuses a range that ends before the first id.
    if (id === FIRST_ID) return [];
    const both = await this.#trail(org, 'XREVRANGE', [`(${id}`, fromMs, BATCH]);
    return inOrder(...both).reverse();
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

export function matches(event: AuditEvent, filter: EventFilter): boolean {
  const { fromMs = 0, untilMs = Number.POSITIVE_INFINITY } = filter;
  const [ms] = partsOf(event.id);
  if (ms < fromMs || ms >= untilMs) return false;
  return (['type', 'user', 'machine', 'reason', 'actor'] as const).every(
    (name) => filter[name] === undefined || filter[name] === event[name],
  );
}

function inOrder(...streams: readonly (readonly Entry[])[]): AuditEvent[] {
  return streams
    .flat()
    .map(([id, fields]) => eventOf(id, fields))
    .sort((one, other) => compareIds(one.id, other.id));
}

function partsOf(id: string): [ms: number, sequence: number] {
  const [ms, sequence] = id.split('-');
  return [Number(ms), Number(sequence)];
}

function compareIds(one: string, other: string): number {
  const [oneMs, oneSequence] = partsOf(one);
  const [otherMs, otherSequence] = partsOf(other);
  return oneMs - otherMs || oneSequence - otherSequence;
}

function eventOf(id: string, flat: readonly string[]): AuditEvent {
  const fields = new Map<string, string>();
  for (let index = 0; index + 1 < flat.length; index += 2)
    fields.set(flat[index] ?? '', flat[index + 1] ?? '');
  const take = (name: string) => {
    const value = fields.get(name);
    fields.delete(name);
    return value;
  };
  const known: Record<string, string | number> = {
    id,
    type: typeOf(take('type') ?? ''),
    at: Number(take('at') ?? 0),
  };
  for (const name of ['actor', 'role', 'user', 'machine', 'reason', 'sessionId', 'node']) {
    const value = take(name);
    if (value !== undefined) known[name] = value;
  }
  const epoch = take('epoch');
  if (epoch !== undefined) known.epoch = Number(epoch);
  return { ...(known as unknown as Omit<AuditEvent, 'details'>), details: Object.fromEntries(fields) };
}

function placeOf(cursor: string): string {
  const [id] = readCursor(cursor);
  if (typeof id !== 'string' || !entryId.test(id)) throw new BadCursor();
  return id;
}

/** Version 0.1 wrote other names. */
function typeOf(written: string): string {
  return eventNamed(written) ?? written;
}
