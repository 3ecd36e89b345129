import type { Redis } from 'ioredis';
import { type Clock, monotonicMs } from '../../src/base/clock.js';
import { createMetrics } from '../../src/base/metrics.js';
import type { Machine } from '../../src/protocol/messages.js';
import type { LeaseConfig } from '../../src/store/lease-types.js';
import { createStore, type Store } from '../../src/store/store.js';

const metrics = createMetrics();

/** What a node named n1 keeps in Redis; long times and no limits, unless a test says otherwise. */
export function storeOn(redis: Redis, more: Partial<LeaseConfig> = {}, clock: Clock = monotonicMs): Store {
  const config = {
    nodeId: 'n1',
    leaseTtlMs: 60_000,
    commandTimeoutMs: 5_000,
    licenseMode: 'open',
    takeoversPerMinute: 0,
    claimsPerMinute: 0,
    eventsKept: 1_000,
    keyPrefix: 'soleseat:',
    ...more,
  };
  return createStore({ redis, metrics, clock, config });
}

/** The counters of an org that count; without peak and time in use, which tests of sessions leave aside. */
export async function countsOf(redis: Redis, key: string): Promise<Record<string, string>> {
  const { seatAt: _at, seatMs: _ms, peak: _peak, peakAt: _peakAt, ...counts } = await redis.hgetall(key);
  return counts;
}

/** The org of the tests of licenses. */
export const ORG = 'acme';
let ids = 0;

/** A change of the user's license, as the one who runs the desk asks for it. */
export const orderFor = (user: string) => ({ org: ORG, user, actor: 'root' });

export function issueTo(
  store: Store,
  user: string,
  more: { expiresAt?: number; requestId?: string; importId?: string } = {},
) {
  ids += 1;
  return store.licenses.issue({ ...orderFor(user), id: `l${ids}`, requestId: `q${ids}`, ...more });
}

/** A claim of the user's seat that takes it over where another machine has it. */
export function claimFor(store: Store, user: string, machine: Machine = { id: 'desk' }) {
  ids += 1;
  return store.leases.claim({
    requestId: `r${ids}`,
    org: ORG,
    user,
    sessionId: `s${ids}`,
    licenseId: `auto${ids}`,
    machine,
    machineText: JSON.stringify(machine),
    onConflict: 'takeover',
  });
}
