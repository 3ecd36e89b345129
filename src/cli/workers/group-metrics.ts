import { AggregatorRegistry, type MetricObject } from 'prom-client';

/** All metrics of one process. */
export type OwnMetrics = readonly MetricObject[];

/** Adds up the metrics of a group. What workers that have ended had counted stays in the sums: no counter goes back. */
export class GroupMetrics {
  readonly #last = new Map<number, OwnMetrics>();
  /** The sums over all workers that have ended. */
  #ofTheGone: Promise<OwnMetrics> = Promise.resolve([]);

  /** What a worker said last; kept for its end. */
  heard(id: number, metrics: OwnMetrics): void {
    this.#last.set(id, metrics);
  }

  ended(id: number): void {
    const last = this.#last.get(id);
    this.#last.delete(id);
    if (last === undefined) return;
    const counted = last.filter(({ type }) => ['counter', 'histogram'].includes(String(type)));
    this.#ofTheGone = this.#ofTheGone.then((gone) => sumOf([gone, counted]).getMetricsAsJSON());
  }

  async text(): Promise<string> {
    // Both of one moment, so that a worker that ends meanwhile is counted once.
    const [gone, last] = [this.#ofTheGone, [...this.#last.values()]];
    return sumOf([await gone, ...last]).metrics();
  }
}

const sumOf = (all: readonly OwnMetrics[]) => AggregatorRegistry.aggregate(all.map((one) => [...one]));
