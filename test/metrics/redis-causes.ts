import { rmSync } from 'node:fs';
import { Redis } from 'ioredis';
import type { redisMetrics } from '../../src/base/metrics/redis.js';
import type { redisServerMetrics } from '../../src/base/metrics/redis-server.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import type { Cause, Stage } from './stage.js';

const MEGABYTE = 1_048_576;

/** What makes each metric of a node's own use of Redis move. */
export const redisCauses = {
  redisSeconds: {
    series: 'soleseat_redis_command_duration_seconds_count{operation="claim"}',
    happen: (stage) => stage.seat('ada'),
  },
  redisErrors: {
    series: 'soleseat_redis_errors_total{operation="renew"}',
    happen: async (stage) => {
      await stage.seat('ada');
      stage.redis.kill('SIGSTOP');
    },
  },
  scriptErrors: {
    series: 'soleseat_redis_script_errors_total{operation="claim"}',
    happen: async (stage) => {
      await stage.store.set('soleseat:{acme}:active', 'not a sorted set');
      await stage.dial('ada', 'workstation');
    },
  },
  redisReconnects: {
    series: 'soleseat_redis_reconnects_total{role="commands"}',
    happen: ({ store }) => store.call('CLIENT', 'KILL', 'TYPE', 'normal'),
  },
  redisUp: {
    series: 'soleseat_redis_up{role="inbox"}',
    ruinsRedis: true,
    happen: async ({ redis }) => redis.kill('SIGKILL'),
    isMoved: (after, before) => before === 1 && after === 0,
  },
  clockSteps: {
    series: 'soleseat_redis_clock_steps_total',
    happen: async ({ proxy }) => {
      proxy.clockAheadSeconds = 3600;
    },
  },
  wentBack: {
    series: 'soleseat_redis_went_back_total',
    happen: async ({ store, node }) => {
      // What an older copy has in place of the last heartbeat.
      await eventually(async () => (await store.zscore('soleseat:nodes', node.nodeId)) !== null);
      await store.zincrby('soleseat:nodes', -60_000, node.nodeId);
    },
  },
  lostGrants: {
    series: 'soleseat_redis_lost_grants_total',
    happen: async (stage) => {
      const { sessionId, epoch } = await (await stage.seat('ada')).told('welcome');
      const again = await stage.dial('ada', 'workstation');
      again.ws.terminate();
      const resume = { sessionId, epoch: epoch + 1_000_000_000 };
      await Desktop.hello(stage.node.ports.public, 'ada', 'workstation', { resume });
    },
  },
  probeSeconds: {
    series: 'soleseat_pubsub_lag_seconds_count',
    settings: { SOLESEAT_PROBE_EVERY_MS: '50' },
    happen: async () => {},
  },
  probeFailures: {
    series: 'soleseat_pubsub_probe_failures_total',
    settings: { SOLESEAT_PROBE_EVERY_MS: '50', SOLESEAT_COMMAND_TIMEOUT_MS: '200' },
    happen: async ({ proxy }) => {
      proxy.losesInbox = true;
    },
  },
} satisfies Record<keyof typeof redisMetrics, Cause>;

async function write({ store }: Stage, keys: number, bytes: number): Promise<void> {
  const pipeline = store.pipeline();
  for (let i = 0; i < keys; i++) pipeline.set(`filler:${i}`, 'x'.repeat(bytes));
  await pipeline.exec();
}

async function follow(stage: Stage): Promise<RedisProcess> {
  const replica = await stage.otherRedis();
  const connection = new Redis(replica.url);
  await connection.replicaof('127.0.0.1', stage.redis.port);
  await eventually(async () => (await connection.info()).includes('master_link_status:up'));
  connection.disconnect();
  return replica;
}

async function loseReplica(stage: Stage): Promise<void> {
  const replica = await follow(stage);
  await eventually(async () => (await stage.store.info()).includes('state=online'));
  replica.kill('SIGSTOP');
  await write(stage, 10, MEGABYTE / 10);
}

/** What makes each metric of Redis itself move. */
export const redisServerCauses = {
  serverUp: {
    series: 'soleseat_redis_server_up{address="ADDRESS",role="master"}',
    ruinsRedis: true,
    happen: async ({ redis }) => redis.kill('SIGKILL'),
    isMoved: (after, before) => before === 1 && after === 0,
  },
  memoryUsed: {
    series: 'soleseat_redis_memory_used_bytes{address="ADDRESS"}',
    happen: (stage) => write(stage, 10, MEGABYTE),
    isMoved: (after, before) => after > before + 9 * MEGABYTE,
  },
  memoryLimit: {
    series: 'soleseat_redis_memory_limit_bytes{address="ADDRESS"}',
    ruinsRedis: true,
    happen: ({ store }) => store.config('SET', 'maxmemory', '100mb'),
    isMoved: (after) => after === 100 * MEGABYTE,
  },
  evictionPolicy: {
    series: 'soleseat_redis_eviction_policy_info{address="ADDRESS",policy="allkeys-lru"}',
    ruinsRedis: true,
    happen: ({ store }) => store.config('SET', 'maxmemory-policy', 'allkeys-lru'),
    isMoved: (after) => after === 1,
  },
  evictedKeys: {
    series: 'soleseat_redis_evicted_keys_total{address="ADDRESS"}',
    ruinsRedis: true,
    happen: async (stage) => {
      await stage.store.config('SET', 'maxmemory-policy', 'allkeys-lru');
      await stage.store.config('SET', 'maxmemory', '3mb');
      await write(stage, 50, MEGABYTE / 10);
    },
  },
  expiredKeys: {
    series: 'soleseat_redis_expired_keys_total{address="ADDRESS"}',
    happen: async ({ store }) => {
      const pipeline = store.pipeline();
      for (let i = 0; i < 200; i++) pipeline.set(`brief:${i}`, '', 'PX', 1);
      await pipeline.exec();
    },
    isMoved: (after, before) => after >= before + 200,
  },
  connectedClients: {
    series: 'soleseat_redis_connected_clients{address="ADDRESS"}',
    happen: async (stage) => {
      const clients = Array.from({ length: 10 }, () => stage.store.duplicate());
      await Promise.all(clients.map((client) => client.ping()));
      await eventually(async () => (await clientsOf(stage)) >= 13);
      for (const client of clients) client.disconnect();
    },
    isMoved: (after) => after < 13,
  },
  commandsProcessed: {
    series: 'soleseat_redis_commands_processed_total{address="ADDRESS"}',
    happen: (stage) => write(stage, 1000, 1),
    isMoved: (after, before) => after >= before + 1000,
  },
  aofEnabled: {
    series: 'soleseat_redis_aof_enabled{address="ADDRESS"}',
    ruinsRedis: true,
    happen: async ({ store }) => {
      await store.config('SET', 'appendonly', 'yes');
      // Redis would not end before the file is written.
      await eventually(async () => (await store.info()).includes('aof_rewrite_in_progress:0'));
    },
    isMoved: (after) => after === 1,
  },
  persistenceOk: {
    series: 'soleseat_redis_persistence_ok{address="ADDRESS",file="rdb"}',
    ruinsRedis: true,
    happen: async ({ store }) => {
      const [, folder] = (await store.config('GET', 'dir')) as [string, string];
      rmSync(folder, { recursive: true });
      await store.bgsave();
    },
    isMoved: (after, before) => before === 1 && after === 0,
  },
  lastSave: {
    series: 'soleseat_redis_last_save_timestamp_seconds{address="ADDRESS"}',
    happen: async ({ store }) => {
      const before = await store.lastsave();
      await eventually(async () => {
        await store.save();
        return (await store.lastsave()) > before;
      });
    },
  },
  connectedReplicas: {
    series: 'soleseat_redis_connected_replicas{address="ADDRESS"}',
    ruinsRedis: true,
    happen: follow,
    isMoved: (after) => after === 1,
  },
  replicationLagBytes: {
    series: 'soleseat_redis_replication_lag_bytes{address="ADDRESS"}',
    ruinsRedis: true,
    happen: loseReplica,
    isMoved: (after) => after > 0.9 * MEGABYTE,
  },
  replicationLagSeconds: {
    series: 'soleseat_redis_replication_lag_seconds{address="ADDRESS"}',
    ruinsRedis: true,
    happen: loseReplica,
    isMoved: (after) => after >= 2,
  },
  databaseKeys: {
    series: 'soleseat_redis_database_keys{address="ADDRESS"}',
    happen: (stage) => write(stage, 100, 1),
    isMoved: (after, before) => after >= before + 100,
  },
  keys: { series: 'soleseat_redis_keys{kind="lease"}', happen: (stage) => stage.seat('ada') },
} satisfies Record<keyof typeof redisServerMetrics, Cause>;

async function clientsOf(stage: Stage): Promise<number> {
  const series = `soleseat_redis_connected_clients{address="${stage.address}"}`;
  return (await stage.scrape()).value(series);
}
