import { reachStore } from './errors.js';
import type { KeyNames } from './keys.js';
import type { Actor } from './license-types.js';
import type { RedisConnection } from './redis.js';
import type { Scripts } from './scripts.js';
import { OWNERS_ORG } from './webhooks.js';

/** Somebody who was made an owner at Redis. */
export interface Owner {
  /** The `sub` of their admin tokens. */
  readonly name: string;
  /** Unix ms. */
  readonly since: number;
}

export interface OwnersParts {
  readonly redis: RedisConnection;
  readonly scripts: Scripts;
  readonly keys: KeyNames;
}

/**
 * Who is an owner though their identity provider does not say so: the first one at least. Only who can write to Redis makes
 * one, by `soleseat owner add`. Rejects with StoreUnavailable or StoreDefect.
 */
export class Owners {
  constructor(private readonly parts: OwnersParts) {}

  async has(name: string): Promise<boolean> {
    const { redis, keys } = this.parts;
    return (await reachStore(() => redis.hexists(keys.owners, name))) === 1;
  }

  /** By name. */
  async list(): Promise<Owner[]> {
    const { redis, keys } = this.parts;
    const found = await reachStore(() => redis.hgetall(keys.owners));
    const owners = Object.entries(found).map(([name, since]) => ({ name, since: Number(since) }));
    return owners.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** False: they are one already. */
  async add(name: string, nowMs: number, actor: Actor): Promise<boolean> {
    const { redis, keys } = this.parts;
    if ((await reachStore(() => redis.hsetnx(keys.owners, name, String(nowMs)))) === 0) return false;
    await this.#tell('user.promoted', name, actor);
    return true;
  }

  /** False: they are none. Tokens with the role owner go on. */
  async remove(name: string, actor: Actor): Promise<boolean> {
    const { redis, keys } = this.parts;
    if ((await reachStore(() => redis.hdel(keys.owners, name))) === 0) return false;
    await this.#tell('user.demoted', name, actor);
    return true;
  }

  async #tell(type: 'user.promoted' | 'user.demoted', name: string, actor: Actor): Promise<void> {
    const order = { org: OWNERS_ORG, type, fields: { actor, owner: name } };
    await reachStore(() => this.parts.scripts.run('act', { org: OWNERS_ORG }, [JSON.stringify(order)]));
  }
}
