/**
 * The values that a label may have, all of them, or `open` where they are not known beforehand: an address, an org.
 * Counters whose labels are all closed exist as 0 from the start: Prometheus sees no increase in a series that begins
 * with its first burst.
 */
export type LabelValues = readonly (string | number)[] | 'open';

/** One metric: kind, name, meaning, labels with their values. The kinds are Prometheus's. */
export type MetricRow = readonly [
  kind: 'gauge' | 'counter' | 'histogram',
  name: string,
  help: string,
  labels: Readonly<Record<string, LabelValues>>,
];

export type MetricRows = Readonly<Record<string, MetricRow>>;
