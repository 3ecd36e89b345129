import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { Metrics } from '../base/metrics.js';
import { Asks } from './asks.js';
import { Costly } from './costly.js';
import { CutShort } from './cut-short.js';
import { Directory } from './directory.js';
import { Events } from './events.js';
import { History } from './history.js';
import { Horizon, type Setback } from './horizon.js';
import { Imports } from './imports.js';
import { type KeyNames, keyNames } from './keys.js';
import type { LeaseConfig } from './lease-types.js';
import { Leases } from './leases.js';
import { Leaves } from './leaves.js';
import { Ledger } from './ledger.js';
import { Licenses } from './licenses.js';
import { Machines } from './machines.js';
import { Names } from './names.js';
import { Nodes } from './nodes.js';
import { Orgs } from './orgs.js';
import { Outbox } from './outbox.js';
import { Owners } from './owners.js';
import type { RedisConnection } from './redis.js';
import { RedisClock } from './redis-clock.js';
import { Revocations } from './revocations.js';
import { Scripts } from './scripts.js';
import { SeatScripts } from './seat-scripts.js';
import { Sessions } from './sessions.js';
import { Spellings } from './spellings.js';
import { Sweeper } from './sweeper.js';
import { Totals } from './totals.js';
import { Upgrade } from './upgrade.js';
import { Usage } from './usage.js';
import { Users } from './users.js';
import { Webhooks } from './webhooks.js';

/** Everything that is kept in Redis, over one connection. */
export interface Store {
  readonly keys: KeyNames;
  readonly redisClock: RedisClock;
  readonly horizon: Horizon;
  readonly leases: Leases;
  readonly asks: Asks;
  readonly leaves: Leaves;
  readonly licenses: Licenses;
  readonly imports: Imports;
  readonly orgs: Orgs;
  readonly ledger: Ledger;
  readonly spellings: Spellings;
  readonly sessions: Sessions;
  readonly revocations: Revocations;
  readonly machines: Machines;
  readonly events: Events;
  readonly history: History;
  readonly usage: Usage;
  readonly users: Users;
  readonly webhooks: Webhooks;
  readonly owners: Owners;
  readonly costly: Costly;
  readonly outbox: Outbox;
  readonly nodes: Nodes;
  readonly sweeper: Sweeper;
  readonly totals: Totals;
  readonly upgrade: Upgrade;
}

export function createStore(parts: {
  readonly redis: RedisConnection;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly config: LeaseConfig & { readonly keyPrefix: string };
  /** Redis's clock was set, by so many ms; see RedisClock. */
  readonly onClockStep?: (stepMs: number) => void;
  /** Redis knows less of an org than this node has seen. */
  readonly onSetback?: (setback: Setback) => void;
  readonly log?: Log;
}): Store {
  const { redis, config } = parts;
  const keys = keyNames(config.keyPrefix, redis.isCluster);
  const redisClock = new RedisClock(parts.clock, parts.onClockStep);
  const horizon = new Horizon(redisClock, parts.onSetback);
  const scripts = new Scripts(redis, parts.metrics, keys);
  const seats = new SeatScripts(scripts, keys, config, redisClock, horizon);
  const ledger = new Ledger({ scripts, keys });
  const spellings = new Spellings({ redis, keys });
  const licenses = new Licenses({ redis, scripts, seats, spellings, keys });
  const imports = new Imports({ redis, scripts, keys, licenses, config });
  const directory = new Directory(redis, keys);
  const cutShort = new CutShort(parts);
  const names = new Names({ redis, keys });
  const webhooks = new Webhooks({ redis, keys, scripts, directory });
  const events = new Events({ scripts, names });
  const nowMs = () => redisClock.nowMs() ?? Date.now();
  const nodes = new Nodes(redis, keys, redisClock, config.nodeId);
  return {
    keys,
    redisClock,
    horizon,
    leases: new Leases({ redis, scripts, seats, keys, config, redisClock, horizon }),
    asks: new Asks({ redis, seats, keys }),
    leaves: new Leaves({ redis, seats, keys }),
    licenses,
    imports,
    orgs: new Orgs({ redis, scripts, keys, ledger }),
    ledger,
    spellings,
    sessions: new Sessions({
      ...{ redis, keys, spellings },
      nowMs: () => redisClock.nowMs() ?? Date.now(),
      leaseTtlMs: config.leaseTtlMs,
    }),
    revocations: new Revocations({ redis, seats, spellings, nodes, keys, config }),
    machines: new Machines({ redis, keys }),
    events,
    webhooks,
    owners: new Owners({ redis, scripts, keys }),
    costly: new Costly(redis, keys),
    outbox: new Outbox({ redis, keys, scripts, names, webhooks }),
    history: new History({ redis, keys, nowMs }),
    usage: new Usage({ redis, keys }),
    users: new Users({ redis, keys, seats, events, nowMs }),
    nodes,
    sweeper: new Sweeper({ redis, scripts, seats, keys, directory, imports, cutShort, config }),
    totals: new Totals({ redis, scripts, keys, directory }),
    upgrade: new Upgrade({ redis, keys, directory, nodes, config }),
  };
}
