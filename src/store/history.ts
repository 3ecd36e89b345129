import { reachStore } from './errors.js';
import { type Entry, entryFields } from './event-entries.js';
import type { KeyNames } from './keys.js';
import type { Page } from './license-types.js';
import { BadCursor, cursorOf, readCursor } from './paging.js';
import type { RedisConnection } from './redis.js';
import { parseLease } from './replies.js';

/** A session of a user; times in Unix ms by Redis's clock. */
export interface PastSession {
  readonly kind: 'session';
  readonly sessionId: string;
  readonly beganMs: number;
  /** null: it goes on. */
  readonly endedMs: number | null;
  readonly machine: { readonly id: string; readonly name?: string };
  readonly client?: { readonly name?: string; readonly version?: string };
  readonly address?: string;
  readonly reason?: string;
  readonly actor?: string;
}

/** Refusals of one minute. */
export interface PastRefusal {
  readonly kind: 'refusal';
  readonly atMs: number;
  readonly reason: string;
  readonly machine: { readonly id: string };
  readonly count: number;
}

export type PastLine = PastSession | PastRefusal;

/** Only what ended, or was refused, at these times (Unix ms). */
export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

const ALL_MS = 400 * 86_400_000;
/** Users at a time: each may have thousands of lines. */
const USERS_AT_ONCE = 10;
const entryId = /^\d{1,15}-\d{1,10}$/;

/** What sessions users had, and what was refused. Reads only, the scripts write it. Rejects with StoreUnavailable or BadCursor. */
export class History {
  constructor(
    private readonly parts: {
      readonly redis: RedisConnection;
      readonly keys: KeyNames;
      readonly nowMs: () => number;
    },
  ) {}

  /** A user's lines, newest first; before them the session that goes on, where the time is within the span. */
  async page(
    org: string,
    user: string,
    span: Span,
    cursor: string | null,
    limit: number,
  ): Promise<Page<PastLine>> {
    const { redis, keys } = this.parts;
    const before = cursor === null ? `${span.untilMs}-0` : placeOf(cursor);
    return reachStore(async () => {
      const live = cursor === null ? await this.#live(org, [user], span) : [];
      const room = limit - live.length;
      const entries = await redis.xrevrange(
        keys.history(org, user),
        `(${before}`,
        this.#from(span),
        'COUNT',
        room + 1,
      );
      const items = [...live.map(({ line }) => line), ...entries.slice(0, room).map(lineOf)];
      const last = entries[room - 1];
      const next = entries.length > room ? cursorOf([last?.[0] ?? before]) : null;
      return { items, next };
    });
  }

  /** The sessions of all users of the org, user by user, oldest first, with the one that goes on. Some at a time. */
  async *sessions(
    org: string,
    span: Span,
    only?: string,
  ): AsyncGenerator<readonly { readonly user: string; readonly session: PastSession }[]> {
    const users = only === undefined ? this.#users(org) : [[only]];
    for await (const some of users) {
      yield await reachStore(async () => {
        const live = await this.#live(org, some, span);
        const each = await Promise.all(some.map((user) => this.#ended(org, user, span)));
        return some.flatMap((user, index) => [
          ...(each[index] ?? []).map((session) => ({ user, session })),
          ...live.filter((one) => one.user === user).map(({ line }) => ({ user, session: line })),
        ]);
      });
    }
  }

  async #ended(org: string, user: string, span: Span): Promise<PastSession[]> {
    const { redis, keys } = this.parts;
    const entries = await redis.xrange(keys.history(org, user), this.#from(span), `(${span.untilMs}-0`);
    return entries.map(lineOf).filter((line) => line.kind === 'session');
  }

  /** Every user who ever came, some at a time, each once. */
  async *#users(org: string): AsyncGenerator<readonly string[]> {
    const { redis, keys } = this.parts;
    const given = new Set<string>();
    let cursor = '0';
    do {
      const [next, flat] = await reachStore(() =>
        redis.hscan(keys.aliases(org), cursor, 'COUNT', USERS_AT_ONCE),
      );
      const users = flat.filter((_, index) => index % 2 === 0).filter((user) => !given.has(user));
      for (const user of users) given.add(user);
      for (let at = 0; at < users.length; at += USERS_AT_ONCE) yield users.slice(at, at + USERS_AT_ONCE);
      cursor = next;
    } while (cursor !== '0');
  }

  async #live(org: string, users: readonly string[], { untilMs }: Span) {
    const { redis, keys, nowMs } = this.parts;
    if (untilMs < nowMs()) return [];
    const leases = await Promise.all(users.map((user) => redis.get(keys.lease(org, user))));
    return users.flatMap((user, index) => {
      const lease = parseLease(leases[index] ?? '');
      if (lease === null) return [];
      const { sessionId, sinceMs, machine, client, address } = lease;
      const line: PastSession = {
        kind: 'session',
        sessionId,
        beganMs: sinceMs,
        endedMs: null,
        machine: { id: machine.id, ...(machine.name !== undefined && { name: machine.name }) },
        ...(client && { client }),
        ...(address !== undefined && { address }),
      };
      return [{ user, line }];
    });
  }

  /** The history is kept for 400 days; what is older may still be there. */
  #from({ fromMs }: Span): string {
    return String(Math.max(0, fromMs, Math.floor(this.parts.nowMs()) - ALL_MS));
  }
}

function lineOf([id, flat]: Entry): PastLine {
  const fields = entryFields(flat);
  const text = (name: string, as = name) => {
    const value = fields.get(name);
    return value === undefined ? {} : { [as]: value };
  };
  const atMs = Number(id.split('-')[0]);
  const machine = { id: fields.get('machine') ?? '', ...text('name') };
  const refused = fields.get('refused');
  if (refused !== undefined)
    return { kind: 'refusal', atMs, reason: refused, machine, count: Number(fields.get('count') ?? 1) };
  const client = { ...text('client', 'name'), ...text('version') };
  return {
    kind: 'session',
    sessionId: fields.get('sessionId') ?? '',
    beganMs: Number(fields.get('since') ?? atMs),
    endedMs: atMs,
    machine,
    ...(Object.keys(client).length > 0 && { client }),
    ...text('address'),
    ...text('reason'),
    ...text('actor'),
  };
}

function placeOf(cursor: string): string {
  const [id] = readCursor(cursor);
  if (typeof id !== 'string' || !entryId.test(id)) throw new BadCursor();
  return id;
}
