import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const latencySeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** The one table of metrics; docs/metrics.md derives from it. Labels are bounded: never a user or a session. */
export const metricsTable = {
  connections: ['gauge', 'soleseat_connections', 'Open client connections.', []],
  sessions: ['gauge', 'soleseat_sessions', 'Sessions that this node serves.', []],
  claims: ['counter', 'soleseat_claims_total', 'Claims by outcome.', ['outcome']],
  claimSeconds: [
    'histogram',
    'soleseat_claim_duration_seconds',
    'Time from a hello to the answer of its claim.',
    [],
  ],
  evictions: [
    'counter',
    'soleseat_evictions_total',
    'Sessions ended from outside, by reason and by the path on which this node learned of it.',
    ['reason', 'path'],
  ],
  evictionSeconds: [
    'histogram',
    'soleseat_eviction_latency_seconds',
    "Time from the grant that displaces (Redis time) to the notice at the loser's node.",
    [],
  ],
  renewals: [
    'counter',
    'soleseat_renewals_total',
    'Renewals by outcome: kept, reasserted, lost or failed.',
    ['outcome'],
  ],
  jeopardy: [
    'gauge',
    'soleseat_sessions_in_jeopardy',
    'Sessions whose lease cannot be confirmed at present.',
    [],
  ],
  closes: ['counter', 'soleseat_closes_total', 'Closes by code, whoever closed first.', ['code']],
  refusals: [
    'counter',
    'soleseat_handshake_refusals_total',
    'Handshakes refused over HTTP, by status.',
    ['status'],
  ],
  tokenFailures: ['counter', 'soleseat_token_failures_total', 'Tokens not accepted, by reason.', ['reason']],
  redisSeconds: [
    'histogram',
    'soleseat_redis_command_duration_seconds',
    'Redis command latency by operation.',
    ['operation'],
  ],
  redisErrors: [
    'counter',
    'soleseat_redis_errors_total',
    'Redis commands that failed, by operation.',
    ['operation'],
  ],
  redisReconnects: [
    'counter',
    'soleseat_redis_reconnects_total',
    'Reconnections to Redis, by role.',
    ['role'],
  ],
  probeFailures: [
    'counter',
    'soleseat_pubsub_probe_failures_total',
    "Probes of the node's own inbox that did not come back.",
    [],
  ],
} as const satisfies Record<
  string,
  readonly ['gauge' | 'counter' | 'histogram', string, string, readonly string[]]
>;

type Table = typeof metricsTable;
type MetricOf<K> = K extends 'gauge' ? Gauge : K extends 'counter' ? Counter : Histogram;
export type Metrics = { readonly [P in keyof Table]: MetricOf<Table[P][0]> } & {
  readonly registry: Registry;
};

/** All metrics in a registry of their own, beside the process's own (event-loop lag, memory, CPU). */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const made = Object.entries(metricsTable).map(([property, [kind, name, help, labels]]) => {
    const common = { name, help, labelNames: [...labels], registers: [registry] };
    if (kind === 'gauge') return [property, new Gauge(common)];
    if (kind === 'counter') return [property, new Counter(common)];
    return [property, new Histogram({ ...common, buckets: latencySeconds })];
  });
  return { ...Object.fromEntries(made), registry } as Metrics;
}
