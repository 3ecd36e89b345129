/** One metric: kind, name, meaning, labels. The kinds are Prometheus's. */
export type MetricRow = readonly [
  kind: 'gauge' | 'counter' | 'histogram',
  name: string,
  help: string,
  labels: readonly string[],
];

export type MetricRows = Readonly<Record<string, MetricRow>>;
