import type { Aggregator } from 'prom-client';
import { redisServerMetrics } from './redis-server.js';

/** Each process has its own share of these. */
const summed = new Set([
  'connections',
  'sessions',
  'jeopardy',
  'workerSessions',
  'workerCpu',
  'workerMemory',
]);
/** The worst counts. */
const least = new Set(['redisUp', 'certificateEnd', 'redisServerUp', 'redisPersistenceOk']);

/**
 * How a metric of several processes that share their ports becomes one: counters and histograms add up, and gauges are
 * what all of them see alike, as Redis and the licenses, unless they are in a list above.
 */
export function aggregatorOf(property: string, kind: 'gauge' | 'counter' | 'histogram'): Aggregator {
  if (least.has(property)) return 'min';
  if (property in redisServerMetrics) return 'max';
  return kind !== 'gauge' || summed.has(property) ? 'sum' : 'max';
}
