import type { Clock } from '../base/clock.js';
import type { Metrics } from '../base/metrics.js';
import { reachStore, StoreUnavailable } from '../store/errors.js';
import type { Store } from '../store/store.js';
import { type Median, RecentMedian } from './recent-median.js';

/** How things stand at one moment. */
export interface Overview {
  readonly at: string;
  /** Orgs that are summed, of how many. */
  readonly orgs: { readonly summed: number; readonly total: number };
  readonly active: number;
  readonly issued: number;
  /** null: there is no quota, or not everywhere. */
  readonly quota: number | null;
  readonly peak: number;
  /** Within the last minute, as far as it was watched. */
  readonly takeoversPerMinute: number;
  /** How long half of the evictions took at the node that answers, within the last five minutes. null: there were none. */
  readonly nodeEvictionLatency: Median | null;
  readonly nodes: number;
  readonly redis: { readonly up: boolean };
}

export interface OverviewsParts {
  readonly store: Store;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly wallMs: () => number;
}

const FRESH_MS = 900;
const MINUTE_MS = 60_000;
/** A node has few evictions: the median of a minute would jump about. */
const LATENCY_WINDOW_MS = 5 * MINUTE_MS;
/** More would hold Redis for longer than a look is worth. */
const MAX_ORGS = 200;

interface Watched {
  readAtMs: number;
  answer: Promise<Overview>;
  last: Overview | null;
  /** When, and how many takeovers there had been by then. */
  takeovers: (readonly [number, number])[];
}

/** Overviews of one org or of all: however many look, Redis is asked once a second. */
export class Overviews {
  readonly #watched = new Map<string | null, Watched>();

  readonly #evictionLatency: RecentMedian;

  constructor(private readonly parts: OverviewsParts) {
    const { metrics, clock } = parts;
    this.#evictionLatency = new RecentMedian(metrics.evictionSeconds, LATENCY_WINDOW_MS, FRESH_MS, clock());
  }

  /** While Redis is out of reach, it is the last that was known, and says so. Rejects with a defect only. */
  of(org: string | null): Promise<Overview> {
    const nowMs = this.parts.clock();
    this.#forget(nowMs);
    let watched = this.#watched.get(org);
    if (watched !== undefined && nowMs - watched.readAtMs < FRESH_MS) return watched.answer;
    watched ??= { readAtMs: 0, answer: Promise.resolve(this.#blank()), last: null, takeovers: [] };
    watched.readAtMs = nowMs;
    watched.answer = this.#read(org, watched);
    this.#watched.set(org, watched);
    return watched.answer;
  }

  async #read(org: string | null, watched: Watched): Promise<Overview> {
    try {
      watched.last = await this.#count(org, watched);
      return watched.last;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      return { ...(watched.last ?? this.#blank()), at: this.#now(), redis: { up: false } };
    }
  }

  async #count(org: string | null, watched: Watched): Promise<Overview> {
    const { store } = this.parts;
    const names = org === null ? await store.orgs.names() : [org];
    const summed = names.slice(0, MAX_ORGS);
    const [nodes, each, nodeEvictionLatency] = await Promise.all([
      reachStore(() => store.nodes.list()),
      Promise.all(summed.map((name) => store.orgs.counts(name))),
      this.#evictionLatency.at(this.parts.clock()),
    ]);
    const sum = (field: 'active' | 'issued' | 'peak' | 'takeovers') =>
      each.reduce((total, counts) => total + counts[field], 0);
    const isLimited = each.length > 0 && each.every(({ available }) => available !== null);
    const available = each.reduce((total, counts) => total + (counts.available ?? 0), 0);
    return {
      at: this.#now(),
      orgs: { summed: summed.length, total: names.length },
      active: sum('active'),
      issued: sum('issued'),
      quota: isLimited ? sum('issued') + available : null,
      peak: sum('peak'),
      takeoversPerMinute: this.#inLastMinute(watched, sum('takeovers')),
      nodeEvictionLatency,
      nodes: nodes.filter(({ isLive }) => isLive).length,
      redis: { up: true },
    };
  }

  #inLastMinute(watched: Watched, total: number): number {
    const nowMs = this.parts.clock();
    watched.takeovers = [...watched.takeovers.filter(([at]) => nowMs - at <= MINUTE_MS), [nowMs, total]];
    // After FLUSHALL the counters begin anew.
    return Math.max(0, total - (watched.takeovers[0]?.[1] ?? total));
  }

  /** Of what nobody has looked at for a minute nothing is kept. */
  #forget(nowMs: number): void {
    for (const [org, { readAtMs }] of this.#watched) {
      if (nowMs - readAtMs > MINUTE_MS) this.#watched.delete(org);
    }
  }

  #blank(): Overview {
    const none = { active: 0, issued: 0, quota: null, peak: 0, takeoversPerMinute: 0, nodes: 0 };
    const orgs = { summed: 0, total: 0 };
    return { at: this.#now(), orgs, ...none, nodeEvictionLatency: null, redis: { up: false } };
  }

  #now(): string {
    return new Date(this.parts.wallMs()).toISOString();
  }
}
