import type { Histogram } from 'prom-client';

/** Half took at most `medianMs`; or, when `isOver`, more than that: longer than the histogram tells apart. */
export interface Median {
  readonly medianMs: number;
  readonly isOver: boolean;
}

/** One bucket of a histogram: how many were at most `bound` seconds long. */
type Bucket = readonly [bound: number, count: number];

/** The median of what a histogram saw lately: it only ever adds up, so an older reading is subtracted. */
export class RecentMedian {
  /** The oldest first. At the start nothing had been seen. */
  #readings: (readonly [at: number, buckets: readonly Bucket[]])[];

  constructor(
    private readonly histogram: Pick<Histogram, 'get'>,
    private readonly windowMs: number,
    /** Readings no closer together than this are kept. */
    private readonly everyMs: number,
    startedAtMs: number,
  ) {
    this.#readings = [[startedAtMs, []]];
  }

  /** null: there was nothing within the window, as far as it was watched. */
  async at(nowMs: number): Promise<Median | null> {
    const buckets = await this.#read();
    this.#readings = this.#readings.filter(([at]) => nowMs - at <= this.windowMs);
    const lastAtMs = this.#readings.at(-1)?.[0] ?? Number.NEGATIVE_INFINITY;
    if (nowMs - lastAtMs >= this.everyMs) this.#readings.push([nowMs, buckets]);
    const before = new Map(this.#readings[0]?.[1]);
    return medianOf(buckets.map(([bound, count]) => [bound, count - (before.get(bound) ?? 0)]));
  }

  async #read(): Promise<Bucket[]> {
    const { values } = await this.histogram.get();
    return values
      .filter(({ metricName }) => metricName?.endsWith('_bucket'))
      .map(({ labels, value }): Bucket => {
        return [labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le), value];
      })
      .sort(([one], [other]) => one - other);
  }
}

function medianOf(buckets: readonly Bucket[]): Median | null {
  const total = buckets.at(-1)?.[1] ?? 0;
  if (total === 0) return null;
  const bound = buckets.find(([, count]) => count >= total / 2)?.[0] ?? Number.POSITIVE_INFINITY;
  if (Number.isFinite(bound)) return { medianMs: bound * 1000, isOver: false };
  return { medianMs: (buckets.at(-2)?.[0] ?? 0) * 1000, isOver: true };
}
