import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { Settings } from '../base/settings.js';
import type { FaultLog } from '../store/fault-log.js';
import { Housekeeping } from '../store/housekeeping.js';
import type { NodeReport } from '../store/nodes.js';
import type { Outages } from '../store/outages.js';
import { Pulse } from '../store/pulse.js';
import type { RedisConnection } from '../store/redis.js';
import type { Setbacks } from '../store/setbacks.js';
import type { Store } from '../store/store.js';

const HEARTBEAT_MS = 1000;

/** What a node does in Redis by itself: it asks for the time, sweeps, and says that it lives. */
export function openUpkeep(parts: {
  readonly settings: Pick<Settings, 'sweepEveryMs' | 'renewEveryMs'>;
  readonly redis: RedisConnection;
  readonly store: Store;
  readonly setbacks: Setbacks;
  readonly outages: Outages;
  readonly faults: FaultLog;
  /** What this node says of itself; null while it says nothing. */
  readonly report: () => NodeReport | null;
  readonly clock: Clock;
  readonly log: Log;
}): { readonly housekeeping: Housekeeping; readonly pulse: Pulse } {
  const { settings, redis, store, setbacks, outages, faults, report, clock, log } = parts;
  const housekeeping = new Housekeeping({
    ...store,
    sweepEveryMs: settings.sweepEveryMs,
    announceEveryMs: settings.renewEveryMs,
    report,
    orgs: () => store.horizon.orgs,
    onForgotten: () => setbacks.forgotten(),
    onWentBack: (lostMs) => setbacks.wentBack({ lostMs }),
    outages,
    faults,
    clock,
    log,
  });
  const { redisClock } = store;
  const onBeat = () => housekeeping.beat();
  const pulse = new Pulse({ redis, redisClock, everyMs: HEARTBEAT_MS, outages, onBeat });
  return { housekeeping, pulse };
}
