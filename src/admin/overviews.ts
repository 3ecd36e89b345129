import { type Static, Type } from 'typebox';
import type { Clock } from '../base/clock.js';
import type { Metrics } from '../base/metrics.js';
import { reachStore, StoreUnavailable } from '../store/errors.js';
import type { Store } from '../store/store.js';
import { RecentMedian } from './recent-median.js';
import { count, nullable, object, time } from './schemas.js';

export const overviewSchema = object(
  {
    at: time('By the clock of the node that answers.'),
    orgs: object(
      { summed: count('Orgs that are summed.'), total: count('Orgs that there are.') },
      { description: 'All of them.' },
    ),
    active: count('Sessions now.'),
    issued: count('Licenses that count against a quota.'),
    quota: nullable(count('null: there is no quota, or not everywhere.')),
    peak: count('Most sessions so far.'),
    takeoversPerMinute: count('Within the last minute, as far as it was watched.'),
    nodeEvictionLatency: nullable(
      object(
        { medianMs: Type.Number(), isOver: Type.Boolean({ description: 'It took at least this long.' }) },
        {
          description:
            'How long half of the evictions took at the node that answers, within the last five minutes. null: there were none.',
        },
      ),
    ),
    nodes: count('Nodes that live.'),
    redis: object({ up: Type.Boolean() }),
  },
  { description: 'How things stand at one moment.' },
);
export type Overview = Static<typeof overviewSchema>;

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

type Counts = Pick<Overview, 'active' | 'issued' | 'quota' | 'peak'> & {
  readonly orgs: number;
  readonly takeovers: number;
};

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
    const [nodes, { orgs, takeovers, ...counts }, nodeEvictionLatency] = await Promise.all([
      reachStore(() => store.nodes.list()),
      org === null ? this.#countAll() : this.#countOne(org),
      this.#evictionLatency.at(this.parts.clock()),
    ]);
    return {
      at: this.#now(),
      orgs: { summed: orgs, total: orgs },
      ...counts,
      takeoversPerMinute: this.#inLastMinute(watched, takeovers),
      nodeEvictionLatency,
      nodes: nodes.filter(({ isLive }) => isLive).length,
      redis: { up: true },
    };
  }

  async #countOne(org: string): Promise<Counts> {
    const { issued, quota, active, peak, takeovers } = await this.parts.store.orgs.counts(org);
    return { orgs: 1, active, issued, quota, peak, takeovers };
  }

  /** By the totals that the scripts keep: the same work for any number of orgs. */
  async #countAll(): Promise<Counts> {
    const { orgs: directory, totals } = this.parts.store;
    const [orgs, { active, issued, quota, limited, peak, takeovers }] = await Promise.all([
      directory.number(),
      totals.read(),
    ]);
    const isLimited = orgs > 0 && limited === orgs;
    return { orgs, active, issued, quota: isLimited ? quota : null, peak, takeovers };
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
