import type { Metrics } from '../../base/metrics.js';
import type { KeyNames } from '../keys.js';
import type { RedisConnection } from '../redis.js';
import type { Totals } from '../totals.js';

interface OrgCounts {
  readonly quota: number;
  /** How many of them have a quota. */
  readonly limited: number;
  readonly issued: number;
  readonly active: number;
  readonly peak: number;
}

/** No org has this name: a brace cannot be in one. */
const OTHERS = '{others}';
/** The fields of an org's counters that say what it has of each total: lua/index.lua keeps them. */
const fields = ['quota', 'limited', 'issued', 'active', 'peak'] as const;
/** As in the alert SoleseatQuotaNearlyUsed. */
const NEAR_QUOTA = 0.9;

export interface OrgWatchParts {
  readonly redis: RedisConnection;
  readonly keys: KeyNames;
  readonly totals: Totals;
  readonly metrics: Metrics;
  /** How many orgs have series of their own. */
  readonly named: number;
}

/**
 * Turns the counts that Redis keeps into metrics. Reads the totals, and one record of each of the first `named` orgs:
 * a look costs the same for any number of orgs beyond.
 */
export class OrgWatch {
  constructor(private readonly parts: OrgWatchParts) {}

  /** Reads once. Rejects when Redis cannot be read; the metrics stay as they were then. */
  async look(): Promise<void> {
    const { redis, keys, totals, metrics, named } = this.parts;
    const [sums, nearQuota, orgs, nodes, own, [seconds]] = await Promise.all([
      totals.read(),
      totals.above(NEAR_QUOTA),
      redis.scard(keys.orgs),
      redis.zcard(keys.nodes),
      redis.zrangebylex(keys.orgNames, '-', '+', 'LIMIT', 0, named),
      redis.time(),
    ]);
    const nowMs = Number(seconds) * 1000;
    const read = await Promise.all(own.map(async (org) => [org, await this.#read(org)] as const));
    // From here on in one go: a scrape between would miss series.
    const { licensesQuota, licensesIssued, licensesActive, licensesPeak, trafficOldestSeconds } = metrics;
    for (const gauge of [licensesQuota, licensesIssued, licensesActive, licensesPeak, trafficOldestSeconds])
      gauge.reset();
    for (const [org, counts] of read) {
      this.#show(org, counts);
      if (counts.trafficSince > 0)
        trafficOldestSeconds.set({ org }, Math.max(0, (nowMs - counts.trafficSince) / 1000));
    }
    if (orgs > own.length) this.#show(OTHERS, lessThese(sums, read));
    metrics.orgsNearQuota.set(nearQuota);
    metrics.keys.set({ kind: 'lease' }, sums.active);
    metrics.keys.set({ kind: 'license' }, sums.issued);
    metrics.keys.set({ kind: 'org' }, orgs);
    metrics.keys.set({ kind: 'node' }, nodes);
  }

  async #read(org: string): Promise<OrgCounts & { readonly trafficSince: number }> {
    const { redis, keys } = this.parts;
    const summed = fields.map((field) => `summed:${field}`);
    const [since, ...values] = await redis.hmget(keys.counters(org), 'trafficSince', ...summed);
    return { ...countsOf((index) => Number(values[index] ?? 0)), trafficSince: Number(since ?? 0) };
  }

  #show(org: string, { quota, limited, issued, active, peak }: OrgCounts): void {
    const { licensesQuota, licensesIssued, licensesActive, licensesPeak } = this.parts.metrics;
    if (limited > 0) licensesQuota.set({ org }, quota);
    licensesIssued.set({ org }, issued);
    licensesActive.set({ org }, active);
    licensesPeak.set({ org }, peak);
  }
}

/** What is left of the totals. They were read a moment before the orgs, and nothing is less than none. */
function lessThese(sums: OrgCounts, named: readonly (readonly [string, OrgCounts])[]): OrgCounts {
  return countsOf((index) => {
    const field = fields[index] ?? 'active';
    return Math.max(
      0,
      named.reduce((left, [, counts]) => left - counts[field], sums[field]),
    );
  });
}

function countsOf(valueAt: (index: number) => number): OrgCounts {
  return Object.fromEntries(fields.map((field, index) => [field, valueAt(index)])) as Record<
    (typeof fields)[number],
    number
  >;
}
