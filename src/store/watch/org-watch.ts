import type { Metrics } from '../../base/metrics.js';
import type { KeyNames } from '../keys.js';
import type { RedisConnection } from '../redis.js';

interface OrgCounts {
  readonly quota: number | null;
  readonly issued: number;
  readonly active: number;
  readonly peak: number;
  readonly licensed: number;
}

/** No org has this name: a brace cannot be in one. */
const OTHERS = '{others}';
/** Orgs beyond those with series of their own, read per look. More would hold Redis for longer. */
const OTHERS_PER_LOOK = 200;

/**
 * Turns the counts that Redis keeps of each org into metrics. Reads counters only, never users: a look costs a
 * few commands an org. Orgs beyond `named` are read in turns, so their sum may be a few looks old.
 */
export class OrgWatch {
  readonly #counts = new Map<string, OrgCounts>();
  #turn = 0;

  constructor(
    private readonly redis: RedisConnection,
    private readonly keys: KeyNames,
    private readonly named: number,
    private readonly metrics: Metrics,
  ) {}

  /** Reads once. Rejects when Redis cannot be read; the metrics stay as they were then. */
  async look(): Promise<void> {
    const orgs = (await this.redis.smembers(this.keys.orgs)).sort();
    const nodes = await this.redis.zcard(this.keys.nodes);
    const own = orgs.slice(0, this.named);
    const others = orgs.slice(this.named);
    const due = this.#takeTurn(others);
    const read = await Promise.all(
      [...own, ...due].map(async (org) => [org, await this.#read(org)] as const),
    );
    this.#forget(new Set(orgs));
    for (const [org, counts] of read) this.#counts.set(org, counts);
    this.#show(own, others, nodes);
  }

  #takeTurn(others: readonly string[]): readonly string[] {
    if (this.#turn >= others.length) this.#turn = 0;
    const due = others.slice(this.#turn, this.#turn + OTHERS_PER_LOOK);
    this.#turn += OTHERS_PER_LOOK;
    return due;
  }

  async #read(org: string): Promise<OrgCounts> {
    const { keys } = this;
    const replies = await this.redis
      .pipeline()
      .hget(keys.settings(org), 'quota')
      .hmget(keys.counters(org), 'issued', 'peak')
      .zcard(keys.active(org))
      .zcard(keys.licensed(org))
      .exec();
    const [quota, counters, active, licensed] = (replies ?? []).map(([error, value]) => {
      if (error !== null) throw error;
      return value;
    });
    const [issued, peak] = (counters ?? []) as readonly (string | null)[];
    return {
      quota: quota === null || quota === undefined ? null : Number(quota),
      issued: Number(issued ?? 0),
      active: Number(active),
      peak: Number(peak ?? 0),
      licensed: Number(licensed),
    };
  }

  #forget(known: ReadonlySet<string>): void {
    for (const org of this.#counts.keys()) if (!known.has(org)) this.#counts.delete(org);
  }

  #show(own: readonly string[], others: readonly string[], nodes: number): void {
    const { metrics } = this;
    const { licensesQuota, licensesIssued, licensesActive, licensesPeak } = metrics;
    for (const gauge of [licensesQuota, licensesIssued, licensesActive, licensesPeak]) gauge.reset();
    const show = (org: string, { quota, issued, active, peak }: OrgCounts) => {
      if (quota !== null) licensesQuota.set({ org }, quota);
      licensesIssued.set({ org }, issued);
      licensesActive.set({ org }, active);
      licensesPeak.set({ org }, peak);
    };
    for (const org of own) show(org, this.#sumOf([org]));
    if (others.length > 0) show(OTHERS, this.#sumOf(others));
    const all = this.#sumOf([...this.#counts.keys()]);
    metrics.keys.set({ kind: 'lease' }, all.active);
    metrics.keys.set({ kind: 'license' }, all.licensed);
    metrics.keys.set({ kind: 'org' }, own.length + others.length);
    metrics.keys.set({ kind: 'node' }, nodes);
  }

  #sumOf(orgs: readonly string[]): OrgCounts {
    const counts = orgs.map((org) => this.#counts.get(org)).filter((one) => one !== undefined);
    const sum = (pick: (one: OrgCounts) => number) => counts.reduce((total, one) => total + pick(one), 0);
    return {
      quota: counts.some(({ quota }) => quota !== null) ? sum(({ quota }) => quota ?? 0) : null,
      issued: sum(({ issued }) => issued),
      active: sum(({ active }) => active),
      // Peaks of different hours do not add up; their sum is an upper bound.
      peak: sum(({ peak }) => peak),
      licensed: sum(({ licensed }) => licensed),
    };
  }
}
