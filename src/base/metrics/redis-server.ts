import type { MetricRows } from './row.js';

/** What Redis says of itself, one series a server. Read in the background, so a scrape never waits for Redis. */
export const redisServerMetrics = {
  serverUp: [
    'gauge',
    'soleseat_redis_server_up',
    '1 when the server answered at the last look, else 0. The role is as last seen, `unknown` before that. A server that a cluster lists no longer is down for an hour, then forgotten.',
    { address: 'open', role: ['master', 'replica', 'unknown'] },
  ],
  memoryUsed: [
    'gauge',
    'soleseat_redis_memory_used_bytes',
    'Memory that the server uses for data.',
    { address: 'open' },
  ],
  memoryLimit: [
    'gauge',
    'soleseat_redis_memory_limit_bytes',
    'The maxmemory of the server; 0 when it has none.',
    { address: 'open' },
  ],
  evictionPolicy: [
    'gauge',
    'soleseat_redis_eviction_policy_info',
    'Always 1; the label is the maxmemory-policy, which must be noeviction.',
    { address: 'open', policy: 'open' },
  ],
  evictedKeys: [
    'counter',
    'soleseat_redis_evicted_keys_total',
    'Keys that the server threw away for want of memory.',
    { address: 'open' },
  ],
  expiredKeys: [
    'counter',
    'soleseat_redis_expired_keys_total',
    'Keys whose TTL ran out.',
    { address: 'open' },
  ],
  connectedClients: [
    'gauge',
    'soleseat_redis_connected_clients',
    'Connections that the server has.',
    { address: 'open' },
  ],
  commandsProcessed: [
    'counter',
    'soleseat_redis_commands_processed_total',
    'Commands that the server ran; its rate is the operations per second.',
    { address: 'open' },
  ],
  aofEnabled: [
    'gauge',
    'soleseat_redis_aof_enabled',
    '1 when the append-only file is on, else 0.',
    { address: 'open' },
  ],
  persistenceOk: [
    'gauge',
    'soleseat_redis_persistence_ok',
    '1 when the last write of that file (aof or rdb) went well, else 0.',
    { address: 'open', file: ['aof', 'rdb'] },
  ],
  lastSave: [
    'gauge',
    'soleseat_redis_last_save_timestamp_seconds',
    'When the last snapshot (RDB) was written, in Unix time.',
    { address: 'open' },
  ],
  connectedReplicas: [
    'gauge',
    'soleseat_redis_connected_replicas',
    'Replicas that follow the server.',
    { address: 'open' },
  ],
  replicationLagBytes: [
    'gauge',
    'soleseat_redis_replication_lag_bytes',
    'How far the replica of a master that is furthest behind is behind it; 0 without replicas.',
    { address: 'open' },
  ],
  replicationLagSeconds: [
    'gauge',
    'soleseat_redis_replication_lag_seconds',
    "For a master, the time since the oldest of its replicas' last acknowledgements; for a replica, the time since it last heard from its master.",
    { address: 'open' },
  ],
  databaseKeys: [
    'gauge',
    'soleseat_redis_database_keys',
    'Keys in all databases of the server, of whatever owner.',
    { address: 'open' },
  ],
  keys: [
    'gauge',
    'soleseat_redis_keys',
    'Entries by kind, from counts that Redis keeps. While Redis does not answer, they are as of the last look.',
    { kind: ['lease', 'license', 'org', 'node'] },
  ],
} as const satisfies MetricRows;
