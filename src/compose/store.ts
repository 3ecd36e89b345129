import type { Settings } from '../base/settings.js';
import { FaultLog } from '../store/fault-log.js';
import { Housekeeping } from '../store/housekeeping.js';
import type { NodeReport } from '../store/nodes.js';
import type { Outages } from '../store/outages.js';
import { Pulse } from '../store/pulse.js';
import type { RedisConnection } from '../store/redis.js';
import { Setbacks } from '../store/setbacks.js';
import { createStore, type Store } from '../store/store.js';
import { type StoreWatch, watchStore } from '../store/watch/store-watch.js';
import type { Basics } from './basics.js';
import { pick } from './pick.js';

const HEARTBEAT_MS = 1000;

export interface StoreParts extends Basics {
  readonly redis: RedisConnection;
  readonly outages: Outages;
  /** Asks Redis about every session that this node holds. */
  readonly verifyAll: () => void;
  /** What this node says of itself; null while it says nothing. */
  readonly report: () => NodeReport | null;
  /** Whether an operator wants this node empty. */
  readonly onOrder: (isToDrain: boolean) => void;
}

/** What a node keeps in Redis, and what it does there by itself: asks for the time, sweeps, says that it lives, watches. */
export interface NodeStore {
  readonly store: Store;
  readonly faults: FaultLog;
  readonly housekeeping: Housekeeping;
  readonly pulse: Pulse;
  readonly watch: StoreWatch;
}

const DAY_MS = 86_400_000;

/** For how long a revocation of tokens is remembered. */
export function tokenLife({ tokenLifeMaxMs }: Pick<Settings, 'tokenLifeMaxMs'>): number {
  return tokenLifeMaxMs === 0 ? DAY_MS : tokenLifeMaxMs;
}

export function openStore(parts: StoreParts): NodeStore {
  const { redis, outages, verifyAll, report, onOrder, settings, nodeId, clock, log, metrics } = parts;
  const { sweepEveryMs, renewEveryMs, metricsEveryMs, metricsOrgs } = settings;
  const tokenLifeMs = tokenLife(settings);
  const kept = pick(
    settings,
    ...(['keyPrefix', 'leaseTtlMs', 'commandTimeoutMs', 'licenseMode', 'takeoversPerMinute'] as const),
    ...(['claimsPerMinute', 'machinesKeptMs', 'eventsKept', 'sessionsKeptMs', 'actsKeptMs'] as const),
  );
  const senses = { clock, log, metrics };
  const setbacks: Setbacks = new Setbacks({ redis, keys: () => store.keys, verifyAll, ...senses });
  const store = createStore({
    redis,
    ...senses,
    config: { nodeId, tokenLifeMs, ...kept },
    onClockStep: (stepMs) => setbacks.clockStepped(stepMs),
    onSetback: (setback) => setbacks.wentBack(setback),
  });
  const { redisClock, keys, totals } = store;
  const faults = new FaultLog(senses);
  const housekeeping = new Housekeeping({
    ...store,
    sweepEveryMs,
    announceEveryMs: renewEveryMs,
    report,
    onOrder,
    orgs: () => store.horizon.orgs,
    onForgotten: () => setbacks.forgotten(),
    onWentBack: (lostMs) => setbacks.wentBack({ lostMs }),
    outages,
    faults,
    clock,
    log,
  });
  const onBeat = () => housekeeping.beat();
  const pulse = new Pulse({ redis, redisClock, everyMs: HEARTBEAT_MS, outages, onBeat });
  const watch = watchStore({ redis, keys, totals, faults, metricsEveryMs, metricsOrgs, clock, metrics });
  return { store, faults, housekeeping, pulse, watch };
}
