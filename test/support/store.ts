import type { Redis } from 'ioredis';
import type { Machine } from '../../packages/client/src/protocol/messages.js';
import { type Clock, monotonicMs } from '../../src/base/clock.js';
import type { Log } from '../../src/base/log.js';
import { createMetrics } from '../../src/base/metrics.js';
import type { Setback } from '../../src/store/horizon.js';
import type {
  ClaimAnswer,
  ClaimRequest,
  HeldLease,
  LeaseConfig,
  RenewAnswer,
} from '../../src/store/lease-types.js';
import type { RedisConnection } from '../../src/store/redis.js';
import { createStore, type Store } from '../../src/store/store.js';

const metrics = createMetrics();

/** What a node named n1 keeps in Redis; long times and no limits, unless a test says otherwise. */
export function storeOn(
  redis: RedisConnection,
  more: Partial<LeaseConfig> = {},
  clock: Clock = monotonicMs,
  onSetback: (setback: Setback) => void = () => {},
  log?: Log,
): Store {
  const config = {
    nodeId: 'n1',
    leaseTtlMs: 60_000,
    commandTimeoutMs: 5_000,
    licenseMode: 'open',
    takeoversPerMinute: 0,
    claimsPerMinute: 0,
    machinesKeptMs: 400 * 86_400_000,
    tokenLifeMs: 86_400_000,
    eventsKept: 1_000,
    sessionsKeptMs: 86_400_000,
    actsKeptMs: 0,
    keyPrefix: 'soleseat:',
    ...more,
  };
  return createStore({ redis, metrics, clock, config, onSetback, ...(log && { log }) });
}

/** The counters of an org that count; without peak and time in use, which tests of sessions leave aside. */
export async function countsOf(redis: Redis, key: string): Promise<Record<string, string>> {
  const all = await redis.hgetall(key);
  const {
    seatAt: _at,
    seatMs: _ms,
    peak: _peak,
    peakAt: _peakAt,
    'written:ended': _ended,
    trafficSince: _since,
    remindersMade: _made,
    quotaTold: _told,
    seatsTold: _seats,
    ...counts
  } = all;
  return Object.fromEntries(Object.entries(counts).filter(([name]) => !name.startsWith('summed:')));
}

/** The org of the tests of licenses. */
export const ORG = 'acme';
let ids = 0;

/** A change of the user's license, as the one who runs the desk asks for it. */
export const orderFor = (user: string) => ({ org: ORG, user, actor: 'root' });

export function issueTo(
  store: Store,
  user: string,
  more: { expiresAt?: number; requestId?: string; importId?: string; note?: string } = {},
) {
  ids += 1;
  return store.licenses.issue({ ...orderFor(user), id: `l${ids}`, requestId: `q${ids}`, ...more });
}

/** A claim of the user's seat that takes it over where another machine has it. */
export function requestFor(user: string, machine: Machine, more: Partial<ClaimRequest> = {}): ClaimRequest {
  ids += 1;
  return {
    requestId: `r${ids}`,
    org: ORG,
    user,
    sessionId: `s${ids}`,
    licenseId: `auto${ids}`,
    machine,
    machineText: JSON.stringify(machine),
    connection: `c${ids}`,
    onConflict: 'takeover',
    ...more,
  };
}

export function claimFor(store: Store, user: string, machine: Machine = { id: 'desk' }) {
  return store.leases.claim(requestFor(user, machine));
}

/** The lease that its node holds after this answer. */
export function leaseFrom(request: ClaimRequest, answer: ClaimAnswer): HeldLease {
  if (answer.outcome !== 'granted') throw new Error(`not granted: ${JSON.stringify(answer)}`);
  const { org, user, machine, machineText, connection, instance, attempt, clientText, address } = request;
  const { sessionId, epoch, rank, sinceMs } = answer;
  const program = {
    ...(instance !== undefined && { instance }),
    ...(attempt !== undefined && { attempt }),
    ...(clientText !== undefined && { clientText }),
    ...(address !== undefined && { address }),
  };
  return {
    org,
    user,
    sessionId,
    epoch,
    rank,
    sinceMs,
    connection,
    machineId: machine.id,
    machineText,
    ...program,
  };
}

/** The lease as its node holds it after a renewal. */
export function raisedBy(lease: HeldLease, answer: RenewAnswer | undefined): HeldLease {
  if (answer?.outcome !== 'kept' && answer?.outcome !== 'reasserted') return lease;
  return answer.raised === null ? lease : { ...lease, ...answer.raised };
}
