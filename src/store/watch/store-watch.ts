import type { Clock } from '../../base/clock.js';
import type { Metrics } from '../../base/metrics.js';
import type { FaultLog } from '../fault-log.js';
import type { KeyNames } from '../keys.js';
import { type RedisConnection, redisNodes } from '../redis.js';
import type { Totals } from '../totals.js';
import { OrgWatch } from './org-watch.js';
import { RedisWatch } from './redis-watch.js';

/** For how long a server that is gone from a cluster counts as down, rather than as taken away. */
const MISSED_FOR_MS = 3_600_000;

interface Watch {
  look(): Promise<void>;
}

/** Looks at the store at an interval and never twice at once, so that no scrape ever waits for Redis. */
export class StoreWatch {
  #timer: NodeJS.Timeout | null = null;
  #isLooking = false;

  constructor(
    private readonly watches: readonly Watch[],
    private readonly everyMs: number,
    private readonly faults: FaultLog,
  ) {}

  start(): void {
    void this.#look();
    this.#timer = setInterval(() => void this.#look(), this.everyMs);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    for (const watch of this.watches) {
      await watch.look().catch((error) => this.faults.failed('metrics of the store', error));
    }
    this.#isLooking = false;
  }
}

/** Watches over Redis's servers and over the counts of orgs. Does nothing before its start. */
export function watchStore(parts: {
  readonly redis: RedisConnection;
  readonly keys: KeyNames;
  readonly totals: Totals;
  readonly metricsEveryMs: number;
  readonly metricsOrgs: number;
  readonly clock: Clock;
  readonly faults: FaultLog;
  readonly metrics: Metrics;
}): StoreWatch {
  const { redis, keys, totals, metrics } = parts;
  const servers = new RedisWatch({
    servers: () => redisNodes(redis),
    missedForMs: redis.isCluster ? MISSED_FOR_MS : 0,
    clock: parts.clock,
    metrics,
  });
  const orgs = new OrgWatch({ redis, keys, totals, metrics, named: parts.metricsOrgs });
  return new StoreWatch([servers, orgs], parts.metricsEveryMs, parts.faults);
}
