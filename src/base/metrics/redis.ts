import type { MetricRows } from './row.js';

/** The scripts of the store. */
const operation = [
  'claim',
  'renew',
  'reassert',
  'release',
  'evict',
  'sweep',
  'look',
  'issue',
  'suspend',
  'reinstate',
  'expiry',
  'expire',
  'transfer',
  'revoke',
  'unissue',
  'settings',
  'repair',
  'sum',
  'due',
  'tally',
  'trail',
  'import',
  'page',
] as const;
const role = ['commands', 'inbox'] as const;
/** The table of causes in the store has these. */
const cause = [
  'refused',
  'timeout',
  'late',
  'dns',
  'no_route',
  'certificate',
  'not_redis',
  'wrong_password',
  'protected_mode',
  'no_permission',
  'too_many_clients',
  'loading',
  'busy',
  'full',
  'read_only',
  'too_few_replicas',
  'disk',
  'cluster_down',
  'wrong_topology',
  'no_master',
  'master_down',
  'lost',
] as const;

/** What a node sees of Redis through its own connections. */
export const redisMetrics = {
  redisSeconds: [
    'histogram',
    'soleseat_redis_command_duration_seconds',
    'Redis command latency by operation.',
    { operation },
  ],
  redisErrors: [
    'counter',
    'soleseat_redis_errors_total',
    'Redis commands that failed, by operation.',
    { operation },
  ],
  scriptErrors: [
    'counter',
    'soleseat_redis_script_errors_total',
    'Scripts that Redis answered with an error (of memory, of a read-only replica, of a wrong type), by operation.',
    { operation },
  ],
  redisReconnects: [
    'counter',
    'soleseat_redis_reconnects_total',
    'Attempts to connect to Redis anew, by role; one outage counts as many as it takes.',
    { role },
  ],
  redisUp: ['gauge', 'soleseat_redis_up', '1 while the connection of that role is ready, else 0.', { role }],
  redisDownCause: [
    'gauge',
    'soleseat_redis_down_cause',
    'Why Redis is out of reach by that role, or why it takes no writes: 1 for the cause. Without a series all is well.',
    { role, cause },
  ],
  clockSteps: [
    'counter',
    'soleseat_redis_clock_steps_total',
    "How often Redis's clock was set by more than a second, or this machine stood still.",
    {},
  ],
  wentBack: [
    'counter',
    'soleseat_redis_went_back_total',
    'How often Redis knew less than this node had seen: a failover lost writes, or an older copy was put back. Once for Redis, and once for each org that has lost something.',
    {},
  ],
  lostGrants: [
    'counter',
    'soleseat_redis_lost_grants_total',
    'Resumes whose client named an epoch that Redis had not given: a change of master lost the grant.',
    {},
  ],
  probeSeconds: [
    'histogram',
    'soleseat_pubsub_lag_seconds',
    "Time that a probe of the node's own inbox takes through Redis and back.",
    {},
  ],
  probeFailures: [
    'counter',
    'soleseat_pubsub_probe_failures_total',
    "Probes of the node's own inbox that did not come back.",
    {},
  ],
} as const satisfies MetricRows;
