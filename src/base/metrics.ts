import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { brokerMetrics } from './metrics/broker.js';
import { licenseMetrics } from './metrics/licenses.js';
import { redisMetrics } from './metrics/redis.js';
import { redisServerMetrics } from './metrics/redis-server.js';

const latencySeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** The one table of metrics, in parts by area; docs/metrics.md derives from it. */
export const metricsTable = {
  ...brokerMetrics,
  ...licenseMetrics,
  ...redisMetrics,
  ...redisServerMetrics,
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
type MetricOf<K> = K extends 'gauge' ? Gauge : K extends 'counter' ? Counter : Histogram;
export type Metrics = { readonly [P in keyof Table]: MetricOf<Table[P][0]> } & {
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
}

/** All metrics in a registry of their own, beside the process's own (event-loop lag, memory, CPU). */
export function createMetrics(): Metrics {
  const registry = new ScrapedRegistry();
  collectDefaultMetrics({ register: registry });
  for (const name of grownWithUsers) registry.removeSingleMetric(name);
  const made = Object.entries(metricsTable).map(([property, [kind, name, help, labels]]) => {
    const common = { name, help, labelNames: [...labels], registers: [registry] };
    if (kind === 'gauge') return [property, new Gauge(common)];
    if (kind === 'counter') return [property, new Counter(common)];
    return [property, new Histogram({ ...common, buckets: latencySeconds })];
  });
  return { ...Object.fromEntries(made), registry } as Metrics;
}
