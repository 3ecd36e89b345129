import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { brokerMetrics } from './metrics/broker.js';
import { aggregatorOf } from './metrics/in-group.js';
import { licenseMetrics } from './metrics/licenses.js';
import { redisMetrics } from './metrics/redis.js';
import { redisServerMetrics } from './metrics/redis-server.js';
import type { MetricRow } from './metrics/row.js';
import { webhookMetrics } from './metrics/webhooks.js';

const latencySeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** The one table of metrics, in parts by area; docs/metrics.md derives from it. */
export const metricsTable = {
  ...brokerMetrics,
  ...licenseMetrics,
  ...redisMetrics,
  ...redisServerMetrics,
  ...webhookMetrics,
} as const;

/** Defaults of prom-client that walk every open socket at each scrape: their cost would grow with the users. */
const grownWithUsers = [
  'process_open_fds',
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources',
  'nodejs_active_resources_total',
];

type Table = typeof metricsTable;
/** What a label of a metric may be: a union of the values in its row, or any string where they are open. */
export type LabelValue<P extends keyof Table, L extends keyof Table[P][3]> = ValueOf<Table[P][3][L]>;
type ValueOf<Values> = Values extends readonly (infer Value)[] ? Value : string;
/** The arguments of a measurement, after the labels where there are any: a value that the row has not does not compile. */
type With<Labels, Measured extends unknown[]> = keyof Labels extends never
  ? Measured
  : [labels: { readonly [L in keyof Labels]: ValueOf<Labels[L]> }, ...Measured];
type MetricOf<Kind, Labels> = Kind extends 'gauge'
  ? Pick<Gauge, 'get' | 'reset'> & { set(...args: With<Labels, [value: number]>): void }
  : Kind extends 'counter'
    ? Pick<Counter, 'get' | 'reset'> & { inc(...args: With<Labels, [value?: number]>): void }
    : Pick<Histogram, 'get' | 'reset'> & { observe(...args: With<Labels, [seconds: number]>): void };
export type Metrics = { readonly [P in keyof Table]: MetricOf<Table[P][0], Table[P][3]> } & {
  readonly registry: ScrapedRegistry;
};

/** Runs its hooks before each scrape, for what is counted in plain numbers meanwhile. A hook must be quick. */
export class ScrapedRegistry extends Registry {
  readonly #hooks: (() => void)[] = [];

  beforeScrape(hook: () => void): void {
    this.#hooks.push(hook);
  }

  override metrics(): Promise<string> {
    for (const hook of this.#hooks) hook();
    return super.metrics();
  }

  override getMetricsAsJSON(): ReturnType<Registry['getMetricsAsJSON']> {
    for (const hook of this.#hooks) hook();
    return super.getMetricsAsJSON();
  }
}

/** All metrics in a registry of their own, beside the process's own (event-loop lag, memory, CPU). */
export function createMetrics(): Metrics {
  const registry = new ScrapedRegistry();
  collectDefaultMetrics({ register: registry });
  for (const name of grownWithUsers) registry.removeSingleMetric(name);
  const made = Object.entries(metricsTable).map(([property, [kind, name, help, labels]]) => {
    const aggregator = aggregatorOf(property, kind);
    const common = { name, help, labelNames: Object.keys(labels), registers: [registry], aggregator };
    if (kind === 'gauge') return [property, new Gauge(common)];
    if (kind === 'counter') return [property, begun(new Counter(common), labels)];
    return [property, new Histogram({ ...common, buckets: latencySeconds })];
  });
  return { ...Object.fromEntries(made), registry } as Metrics;
}

/** A counter that has its series from the start, where they are known. */
function begun(counter: Counter, labels: MetricRow[3]): Counter {
  for (const values of combinationsOf(labels)) counter.inc(values, 0);
  return counter;
}

/** Every combination of the values of labels; none where a label is open. */
export function combinationsOf(labels: MetricRow[3]): Record<string, string | number>[] {
  return Object.entries(labels).reduce<Record<string, string | number>[]>(
    (made, [label, values]) =>
      values === 'open' ? [] : made.flatMap((one) => values.map((value) => ({ ...one, [label]: value }))),
    [{}],
  );
}
