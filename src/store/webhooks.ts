import { type EventName, eventNames } from '../protocol/event-types.js';
import type { Directory } from './directory.js';
import { reachStore } from './errors.js';
import type { IndexKeys, KeyNames } from './keys.js';
import type { Actor } from './license-types.js';
import type { RedisConnection } from './redis.js';
import type { Scripts } from './scripts.js';

/** The org whose trail tells of webhooks and of owners: the owners’ own. */
export const OWNERS_ORG = '*';

/** `paused`: an owner wants nothing sent for now. `parked`: it cannot go on by itself, for the `reason`. */
export type WebhookState = 'active' | 'paused' | 'parked';

/** Where events are delivered to. */
export interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly description: string;
  /** null: all. */
  readonly types: readonly EventName[] | null;
  /** null: all. */
  readonly orgs: readonly string[] | null;
  /** The newest first; each but that one is good until a time (Unix ms). */
  readonly secrets: readonly { readonly secret: string; readonly untilMs: number | null }[];
  readonly state: WebhookState;
  /** Why it is parked. */
  readonly reason: 'too_many_waiting' | 'gone' | null;
  readonly createdAtMs: number;
}

export interface WebhooksParts {
  readonly redis: RedisConnection;
  readonly keys: KeyNames;
  readonly scripts: Scripts;
  readonly directory: Directory;
}

/** Which webhooks there are, and what they want to hear of. Rejects with StoreUnavailable or StoreDefect. */
export class Webhooks {
  constructor(private readonly parts: WebhooksParts) {}

  async list(): Promise<Webhook[]> {
    const { redis, keys } = this.parts;
    const all = await reachStore(() => redis.hgetall(keys.webhooks));
    return Object.values(all)
      .map((text) => JSON.parse(text) as Webhook)
      .sort((one, other) => one.createdAtMs - other.createdAtMs || (one.id < other.id ? -1 : 1));
  }

  async get(id: string): Promise<Webhook | null> {
    const { redis, keys } = this.parts;
    const text = await reachStore(() => redis.hget(keys.webhooks, id));
    return text === null ? null : (JSON.parse(text) as Webhook);
  }

  /** Keeps it, and has what it wants written into the outbox from now on. */
  async put(webhook: Webhook): Promise<void> {
    const { redis, keys } = this.parts;
    await reachStore(() => redis.hset(keys.webhooks, webhook.id, JSON.stringify(webhook)));
    // Only the node that delivers takes something out: it alone knows the whole list at one moment.
    await this.tellWhatIsWanted(await this.list(), { addOnly: true });
  }

  async remove(id: string): Promise<void> {
    const { redis, keys } = this.parts;
    await reachStore(async () => {
      await redis.hdel(keys.webhooks, id);
      for (const { tag } of await this.indexes())
        await Promise.all([redis.del(keys.webhookState(tag, id)), redis.del(keys.webhookParked(tag, id))]);
    });
  }

  /** Writes an event about a webhook into the owners' trail. */
  async tell(type: EventName, actor: Actor, fields: Readonly<Record<string, string>>): Promise<void> {
    const order = { org: OWNERS_ORG, type, fields: { actor, ...fields } };
    const { scripts } = this.parts;
    await reachStore(() => scripts.run('act', { org: OWNERS_ORG }, [JSON.stringify(order)]));
  }

  async indexes(): Promise<readonly IndexKeys[]> {
    const { directory, keys } = this.parts;
    const indexes = await reachStore(() => directory.indexes());
    // The owners' own trail has an index too, where no org may be.
    const own = keys.indexOf(OWNERS_ORG);
    return indexes.some(({ tag }) => tag === own.tag) ? indexes : [...indexes, own];
  }

  /** Brings the sets of what is wanted up to date: more first, less after, so that nothing is missed between. */
  async tellWhatIsWanted(
    webhooks: readonly Webhook[],
    { at, addOnly = false }: { readonly at?: readonly IndexKeys[]; readonly addOnly?: boolean } = {},
  ): Promise<void> {
    const { redis } = this.parts;
    const wanted = wantedBy(webhooks);
    await forEach(at ?? (await this.indexes()), (index) =>
      reachStore(async () => {
        await redis.sadd(index.wanted, ...wanted);
        if (addOnly) return;
        const found = await redis.smembers(index.wanted);
        const obsolete = found.filter((one) => !wanted.has(one));
        if (obsolete.length > 0) await redis.srem(index.wanted, ...obsolete);
      }),
    );
  }
}

const AT_ONCE = 100;

/** Some at a time. What fails for one keeps nobody from the others; it rejects with the first failure at the end. */
export async function forEach<T>(all: Iterable<T>, work: (one: T) => Promise<void>): Promise<void> {
  const items = [...all];
  const failed: unknown[] = [];
  for (let at = 0; at < items.length; at += AT_ONCE) {
    const results = await Promise.allSettled(items.slice(at, at + AT_ONCE).map(work));
    for (const one of results) if (one.status === 'rejected') failed.push(one.reason);
  }
  if (failed.length > 0) throw failed[0];
}

/** As `isWanted` of lua/past.lua reads it. */
function wantedBy(webhooks: readonly Webhook[]): ReadonlySet<string> {
  const heard = webhooks.filter(({ state }) => state !== 'parked');
  const types = heard.flatMap((one): readonly string[] => {
    const names: readonly string[] = one.types ?? eventNames;
    return one.orgs === null ? names : one.orgs.flatMap((org) => names.map((name) => `${org} ${name}`));
  });
  return new Set(['', ...types]);
}
