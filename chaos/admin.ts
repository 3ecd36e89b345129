import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { monotonicMs } from '../src/base/clock.js';
import { createMetrics } from '../src/base/metrics.js';
import type { createStore } from '../src/store/store.js';
import type { Store } from './store.js';
import { EVENTS_KEPT, ORG, timing } from './timing.js';

export type Evict = (user: string) => Promise<{ readonly epoch: number } | null>;

/** Evicts as an administrator would, by the scripts of the build under test. */
export async function administrator(dist: string, store: Store): Promise<Evict> {
  const module = await import(pathToFileURL(join(dist, 'store', 'store.js')).href);
  const createStoreOfBuild = module.createStore as typeof createStore;
  const metrics = createMetrics();
  const config = {
    nodeId: 'administrator',
    keyPrefix: 'soleseat:',
    leaseTtlMs: timing.ttlMs,
    commandTimeoutMs: timing.commandTimeoutMs,
    licenseMode: 'open',
    takeoversPerMinute: 0,
    claimsPerMinute: 0,
    machinesKeptMs: 0,
    tokenLifeMs: 86_400_000,
    eventsKept: EVENTS_KEPT,
    sessionsKeptMs: 86_400_000,
    actsKeptMs: 0,
  };
  return async (user) => {
    // Real nodes begin reigns: this one has seen no clock and no epoch.
    if (!(await store.hasReign())) throw new Error('no reign has begun on this master');
    const redis = store.connect();
    try {
      await redis.connect();
      const { leases } = createStoreOfBuild({ redis, metrics, clock: monotonicMs, config });
      return await leases.evict({ org: ORG, user, reason: 'evicted_by_admin', actor: 'chaos' });
    } finally {
      redis.disconnect();
    }
  };
}
