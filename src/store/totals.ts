import { type Directory, groupBy } from './directory.js';
import { reachStore } from './errors.js';
import type { IndexKeys, KeyNames } from './keys.js';
import type { RedisConnection } from './redis.js';
import { readReply } from './replies.js';
import type { Scripts } from './scripts.js';

const names = ['orgs', 'active', 'issued', 'quota', 'limited', 'peak', 'takeovers'] as const;

/** Sums over all orgs: `limited` is how many have a quota. Peaks of different times add up to an upper bound. */
export type Sums = Readonly<Record<(typeof names)[number], number>>;

export interface SumDifference {
  readonly total: string;
  readonly stored: number;
  readonly counted: number;
}

export interface TotalsParts {
  readonly redis: RedisConnection;
  readonly scripts: Scripts;
  readonly keys: KeyNames;
  readonly directory: Directory;
}

const ATTEMPTS = 5;

/** What the scripts keep of all orgs together (promise 9): exact at any number. Rejects with StoreUnavailable only. */
export class Totals {
  constructor(private readonly parts: TotalsParts) {}

  async read(): Promise<Sums> {
    const { redis, directory } = this.parts;
    return reachStore(async () => {
      const indexes = await directory.indexes();
      const each = await Promise.all(indexes.map(({ totals }) => redis.hmget(totals, ...names)));
      return sumsOf((i) => each.reduce((sum, values) => sum + Number(values[i] ?? 0), 0));
    });
  }

  /** In how many orgs more than this share of the quota is issued. */
  async above(share: number): Promise<number> {
    const { redis, directory } = this.parts;
    return reachStore(async () => {
      const indexes = await directory.indexes();
      const each = await Promise.all(indexes.map(({ shares }) => redis.zcount(shares, `(${share}`, '+inf')));
      return each.reduce((sum, count) => sum + count, 0);
    });
  }

  /**
   * Adds up all orgs and compares with the totals; with `mend`, puts them right. In a cluster slot by slot. It holds
   * Redis for some µs an org.
   */
  async check(mend: boolean): Promise<readonly SumDifference[]> {
    return reachStore(async () => {
      for (let attempt = 1; ; attempt += 1) {
        const found = await this.#compare(false);
        // An org may have begun since the orgs were listed: then it is found next time.
        const isOneMissing = found.counted.orgs < found.stored.orgs;
        if (isOneMissing && attempt < ATTEMPTS) continue;
        const differences = differencesIn(found);
        return mend && differences.length > 0 ? differencesIn(await this.#compare(true)) : differences;
      }
    });
  }

  async #compare(mend: boolean): Promise<{ readonly stored: Sums; readonly counted: Sums }> {
    const { directory, keys } = this.parts;
    const orgs: string[] = [];
    for await (const some of directory.all()) orgs.push(...some);
    const byIndex = groupBy(new Set(orgs), (org) => keys.indexOf(org).totals);
    const indexes = await directory.indexes();
    const each = await Promise.all(indexes.map((index) => this.#sum(index, byIndex.get(index.totals), mend)));
    const over = (of: 'stored' | 'counted') =>
      sumsOf((i) => each.reduce((sum, one) => sum + one[of][names[i] ?? 'orgs'], 0));
    return { stored: over('stored'), counted: over('counted') };
  }

  async #sum(index: IndexKeys, orgs: readonly string[] = [], mend: boolean) {
    const { scripts, keys } = this.parts;
    const counted = orgs.flatMap((org) => [keys.counters(org), keys.active(org), keys.settings(org)]);
    const reply = await scripts.run('sum', { index }, [JSON.stringify({ orgs, mend })], counted);
    return readReply<{ readonly stored: Sums; readonly counted: Sums }>(reply);
  }
}

function sumsOf(total: (index: number) => number): Sums {
  return Object.fromEntries(names.map((name, index) => [name, total(index)])) as Sums;
}

function differencesIn({ stored, counted }: { readonly stored: Sums; readonly counted: Sums }) {
  return names
    .map((total) => ({ total, stored: stored[total], counted: counted[total] }))
    .filter((one) => one.stored !== one.counted);
}
