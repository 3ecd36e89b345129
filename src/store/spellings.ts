import { caseFolded } from '../protocol/text.js';
import { reachStore } from './errors.js';
import type { KeyNames } from './keys.js';
import type { RedisConnection } from './redis.js';

const AT_ONCE = 200;

/**
 * By which spelling users are known. A license that is issued notes its user's; where the org ignores case, the scripts
 * let in nobody under a second spelling (lua/spelling.lua). Rejects with StoreUnavailable or StoreDefect.
 */
export class Spellings {
  constructor(private readonly parts: { readonly redis: RedisConnection; readonly keys: KeyNames }) {}

  async ignoresCase(org: string): Promise<boolean> {
    const { redis, keys } = this.parts;
    return (await reachStore(() => redis.hget(keys.settings(org), 'letterCase'))) === 'ignore';
  }

  /** The name by which the org keeps this user: another one only where it ignores case. */
  async kept(org: string, user: string): Promise<string> {
    return (await this.keptAll(org, [user]))[0] ?? user;
  }

  async keptAll(org: string, users: readonly string[]): Promise<readonly string[]> {
    if (users.length === 0 || !(await this.ignoresCase(org))) return users;
    const kept: string[] = [];
    for (let at = 0; at < users.length; at += AT_ONCE) {
      const some = users.slice(at, at + AT_ONCE);
      const known = await this.known(org, some.map(caseFolded));
      kept.push(...some.map((user, index) => known[index] ?? user));
    }
    return kept;
  }

  /** The spelling that is known for each folded name. */
  async known(org: string, folded: readonly string[]): Promise<readonly (string | null)[]> {
    const { redis, keys } = this.parts;
    return folded.length === 0 ? [] : reachStore(() => redis.hmget(keys.spellings(org), ...folded));
  }

  /**
   * Notes the spelling of every user of the org, some at a time, and gives those who differ only in case while both have a
   * license or a seat: then nothing is noted. `keepsKnown`: a spelling that is known already stays, and another is one of those.
   */
  async gather(org: string, { keepsKnown }: { readonly keepsKnown: boolean }): Promise<string[][]> {
    const found = new Map<string, { name: string; isLiving: boolean }>();
    const clashes = new Map<string, Set<string>>();
    for await (const { name, isLiving } of this.#users(org)) {
      const folded = caseFolded(name);
      const other = found.get(folded);
      if (other === undefined || (isLiving && !other.isLiving)) found.set(folded, { name, isLiving });
      else if (isLiving && other.name !== name)
        clashes.set(folded, (clashes.get(folded) ?? new Set([other.name])).add(name));
    }
    if (clashes.size === 0) {
      const rows = [...found].map(([folded, { name }]) => [folded, name] as const);
      for (let at = 0; at < rows.length; at += AT_ONCE) {
        const other = await this.#note(org, rows.slice(at, at + AT_ONCE), keepsKnown);
        for (const [folded, names] of other) clashes.set(folded, new Set(names));
      }
    }
    return [...clashes.values()].map((names) => [...names].sort()).sort();
  }

  /** Gives those of whom another spelling is known, and stays. */
  async #note(org: string, rows: readonly (readonly [string, string])[], keepsKnown: boolean) {
    const { redis, keys } = this.parts;
    const key = keys.spellings(org);
    if (!keepsKnown) {
      await reachStore(() => redis.hset(key, ...rows.flat()));
      return [];
    }
    await reachStore(() => Promise.all(rows.map(([folded, name]) => redis.hsetnx(key, folded, name))));
    const known = await this.known(
      org,
      rows.map(([folded]) => folded),
    );
    return rows.flatMap(([folded, name], index) => {
      const other = known[index] ?? name;
      return other === name ? [] : [[folded, [name, other]] as const];
    });
  }

  /** All who have, or had, a license or a seat; a name that was only refused is nobody's. One may come twice. */
  async *#users(org: string): AsyncGenerator<{ readonly name: string; readonly isLiving: boolean }> {
    const { redis, keys } = this.parts;
    const scans = [
      (cursor: string) => redis.hscan(keys.aliases(org), cursor, 'COUNT', AT_ONCE),
      // Version 0.1 gave no aliases.
      (cursor: string) => redis.zscan(keys.licensed(org), cursor, 'COUNT', AT_ONCE),
      (cursor: string) => redis.zscan(keys.active(org), cursor, 'COUNT', AT_ONCE),
    ];
    for (const scan of scans) {
      let cursor = '0';
      do {
        const [next, flat] = await reachStore(() => scan(cursor));
        const names = flat.filter((_, index) => index % 2 === 0);
        if (names.length > 0) yield* await this.#standing(org, names);
        cursor = next;
      } while (cursor !== '0');
    }
  }

  async #standing(org: string, names: readonly string[]) {
    const { redis, keys } = this.parts;
    const [licensed, active, machines, records] = await reachStore(() =>
      Promise.all([
        redis.zmscore(keys.licensed(org), ...names),
        redis.zmscore(keys.active(org), ...names),
        Promise.all(names.map((name) => redis.exists(keys.machines(org, name)))),
        Promise.all(names.map((name) => redis.exists(keys.license(org, name)))),
      ]),
    );
    return names.flatMap((name, index) => {
      const isLiving = licensed[index] !== null || active[index] !== null;
      return isLiving || machines[index] === 1 || records[index] === 1 ? [{ name, isLiving }] : [];
    });
  }
}
