import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { monotonicMs } from '../src/base/clock.js';
import { createMetrics } from '../src/base/metrics.js';
import { KeyNames } from '../src/store/keys.js';
import type { Leases } from '../src/store/leases.js';
import type { Scripts } from '../src/store/scripts.js';
import type { Store } from './store.js';
import { ORG, timing } from './timing.js';

export type Evict = (user: string) => Promise<{ readonly epoch: number } | null>;

/** Evicts as an administrator would, by the scripts of the build under test. */
export async function administrator(dist: string, store: Store): Promise<Evict> {
  const load = (file: string) => import(pathToFileURL(join(dist, 'store', file)).href);
  const { Leases: LeasesOfBuild } = (await load('leases.js')) as { Leases: typeof Leases };
  const { Scripts: ScriptsOfBuild } = (await load('scripts.js')) as { Scripts: typeof Scripts };
  const metrics = createMetrics();
  const config = {
    nodeId: 'administrator',
    leaseTtlMs: timing.ttlMs,
    commandTimeoutMs: timing.commandTimeoutMs,
    licenseMode: 'open',
    takeoversPerMinute: 0,
    claimsPerMinute: 0,
    eventsKept: 10_000,
  };
  return async (user) => {
    const redis = store.connect();
    try {
      await redis.connect();
      const scripts = new ScriptsOfBuild(redis, metrics);
      const leases = new LeasesOfBuild(redis, scripts, new KeyNames('soleseat:'), config, monotonicMs);
      return await leases.evict({ org: ORG, user, reason: 'evicted_by_admin', actor: 'chaos' });
    } finally {
      redis.disconnect();
    }
  };
}
