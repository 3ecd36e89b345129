import { reachStore } from './errors.js';
import type { KeyNames } from './keys.js';
import type { Page } from './license-types.js';
import { BadCursor, cursorOf, readCursor } from './paging.js';
import type { RedisConnection } from './redis.js';

/** One entry of an org's audit trail. */
export interface AuditEvent {
  /** The stream entry's id: `<Unix ms>-<sequence>`, rising. */
  readonly id: string;
  readonly type: string;
  /** Unix ms by Redis's clock. */
  readonly at: number;
  /** Who did it: `user`, `broker`, or the `sub` of an admin's token. */
  readonly actor?: string;
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
}

/** Entries read at a time. */
const BATCH = 500;
/** A page ends after so many looked at, found or not. */
const LOOK_LIMIT = 10_000;
const entryId = /^\d{1,15}-\d{1,10}$/;

/** The audit trail: reads only, the scripts write it. Rejects with StoreUnavailable or BadCursor. */
export class Events {
  constructor(private readonly parts: { readonly redis: RedisConnection; readonly keys: KeyNames }) {}

  /** Newest first. A page may be shorter than asked for, also empty, while `next` goes on. */
  async page(
    org: string,
    filter: EventFilter,
    cursor: string | null,
    limit: number,
  ): Promise<Page<AuditEvent>> {
    const key = this.parts.keys.events(org);
    let end = cursor === null ? '+' : `(${placeOf(cursor)}`;
    return reachStore(async () => {
      const items: AuditEvent[] = [];
      for (let looked = 0; looked < LOOK_LIMIT; looked += BATCH) {
        const entries = await this.parts.redis.xrevrange(key, end, '-', 'COUNT', BATCH);
        for (const [id, fields] of entries) {
          const event = eventOf(id, fields);
          if (matches(event, filter)) items.push(event);
          if (items.length === limit) return { items, next: cursorOf([id]) };
          end = `(${id}`;
        }
        if (entries.length < BATCH) return { items, next: null };
      }
      return { items, next: cursorOf([end.slice(1)]) };
    });
  }

  /** What came after an entry, oldest first; after '0-0' is all that is kept. */
  async after(org: string, id: string, limit = BATCH): Promise<readonly AuditEvent[]> {
    if (!entryId.test(id)) throw new BadCursor();
    const key = this.parts.keys.events(org);
    const entries = await reachStore(() => this.parts.redis.xrange(key, `(${id}`, '+', 'COUNT', limit));
    return entries.map(([entry, fields]) => eventOf(entry, fields));
  }

  /** The id of the newest entry, '0-0' when there is none: where following begins. */
  async lastId(org: string): Promise<string> {
    const key = this.parts.keys.events(org);
    const [last] = await reachStore(() => this.parts.redis.xrevrange(key, '+', '-', 'COUNT', 1));
    return last?.[0] ?? '0-0';
  }
}

export function matches(event: AuditEvent, filter: EventFilter): boolean {
  return (['type', 'user', 'machine', 'reason'] as const).every(
    (name) => filter[name] === undefined || filter[name] === event[name],
  );
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
    type: take('type') ?? '',
    at: Number(take('at') ?? 0),
  };
  for (const name of ['actor', 'user', 'machine', 'reason', 'sessionId', 'node']) {
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
