import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/base/metrics.js';
import type { Broker } from '../../src/broker.js';
import type { RedisTopology } from '../../src/embedded/redis-topology.js';
import { RedisWatch } from '../../src/store/watch/redis-watch.js';
import { helloOf } from '../support/crowd.js';
import { eventually } from '../support/eventually.js';
import { startNode } from '../support/node.js';
import { testRedis } from '../support/redis.js';
import { mastersOf, serverAt, testCluster } from '../support/redis-topology.js';
import { Scrape } from '../support/scrape.js';

describe('with Redis Cluster', () => {
  let redis: RedisTopology;
  let node: Broker;
  const scrape = () => Scrape.of(node.ports.admin);

  beforeAll(async () => {
    redis = await testCluster();
    node = await startNode(redis.url, { SOLESEAT_METRICS_EVERY_MS: '100' });
  });
  afterAll(async () => {
    await node.stop();
    await redis.stop();
  });

  const up = (port: number, role: string) =>
    `soleseat_redis_server_up{address="127.0.0.1:${port}",role="${role}"}`;

  it('every server has its series, and orgs are counted wherever they are', async () => {
    const orgs = ['org-0', 'org-1', 'org-2', 'org-3', 'org-4', 'org-5'];
    const masters = await mastersOf(
      redis,
      orgs.map((org) => `soleseat:{${org}}:active`),
    );
    expect(new Set(masters).size).toBeGreaterThan(1);
    const seats = await Promise.all(orgs.map((org) => helloOf(node.ports.public, org, 'ada', 'desk')));
    await Promise.all(seats.map((seat) => seat.told('welcome')));
    await eventually(async () => {
      const seen = await scrape();
      return (
        redis.servers.every(
          ({ port }) =>
            seen.value(up(port, 'master')) + seen.value(up(port, 'replica')) === 1 &&
            seen.value(`soleseat_redis_memory_used_bytes{address="127.0.0.1:${port}"}`) > 0,
        ) && orgs.every((org) => seen.value(`soleseat_licenses_active{org="${org}"}`) === 1)
      );
    });
  });

  it('a replica that is killed is down, and the others are not', async () => {
    const seen = await scrape();
    const replicas = redis.servers.filter(({ port }) => seen.value(up(port, 'replica')) === 1);
    expect(replicas.length).toBe(3);
    const killed = replicas[0]?.port ?? 0;
    serverAt(redis, killed).kill('SIGKILL');
    const others = redis.servers.filter(({ port }) => port !== killed);
    expect(others).toHaveLength(5);
    // All in one scrape: a single look at a server may be late on a busy machine.
    await eventually(async () => {
      const now = await scrape();
      const isUp = (port: number) => now.value(up(port, 'master')) + now.value(up(port, 'replica')) === 1;
      return (
        now.has(up(killed, 'replica')) &&
        now.value(up(killed, 'replica')) === 0 &&
        others.every(({ port }) => isUp(port))
      );
    });
  });
});

describe('a server that is no longer listed', () => {
  it.each<readonly [string, number, number, readonly string[]]>([
    ['is down while it is missed', 3_600_000, 3_599_000, ['1', '0']],
    ['is forgotten after that', 3_600_000, 3_600_000, ['1']],
    ['is forgotten at once where none is missed', 0, 0, ['1']],
  ])('%s', async (_, missedForMs, laterMs, values) => {
    const redises = await Promise.all([testRedis(), testRedis()]);
    const connections = redises.map(({ url }) => new Redis(url));
    let servers = connections.map((redis, i) => ({ address: `server-${i}:6379`, redis }));
    let nowMs = 1000;
    const metrics = createMetrics();
    const watch = new RedisWatch({ servers: () => servers, missedForMs, clock: () => nowMs, metrics });
    await watch.look();
    servers = servers.slice(0, 1);
    nowMs += laterMs;
    await watch.look();
    const lines = (await metrics.registry.metrics()).split('\n');
    const up = lines.filter((line) => line.startsWith('soleseat_redis_server_up{'));
    expect(up).toEqual(
      values.map((value, i) => `soleseat_redis_server_up{address="server-${i}:6379",role="master"} ${value}`),
    );
    for (const connection of connections) connection.disconnect();
    await Promise.all(redises.map((redis) => redis.stop()));
  });
});

it('counters of a server are its own, however often it is looked at', async () => {
  const redis = await testRedis();
  const connection = new Redis(redis.url);
  const metrics = createMetrics();
  const watch = new RedisWatch({
    servers: () => [{ address: 'server:6379', redis: connection }],
    missedForMs: 0,
    clock: () => 0,
    metrics,
  });
  for (let i = 0; i < 5; i++) await watch.look();
  const processed = Number(/total_commands_processed:(\d+)/.exec(await connection.info())?.[1]);
  const { values } = await metrics.commandsProcessed.get();
  expect(values.map(({ value }) => value)).toEqual([processed - 1]);
  connection.disconnect();
  await redis.stop();
});

describe('what a server says of itself', () => {
  const look = async (...replies: readonly Readonly<Record<string, string>>[]) => {
    let fields: Readonly<Record<string, string>> = {};
    const info = async () =>
      Object.entries(fields)
        .map(([name, value]) => `${name}:${value}\r\n`)
        .join('');
    const metrics = createMetrics();
    const servers = () => [{ address: 'server:6379', redis: { info } }];
    const watch = new RedisWatch({ servers, missedForMs: 0, clock: () => 0, metrics });
    for (fields of replies) await watch.look();
    return (await metrics.registry.metrics()).split('\n');
  };

  it.each([
    ['aof', 'aof_last_write_status', 'aof 0', 'rdb 1'],
    ['aof', 'aof_last_bgrewrite_status', 'aof 0', 'rdb 1'],
    ['rdb', 'rdb_last_bgsave_status', 'aof 1', 'rdb 0'],
  ])('of its %s file: %s', async (_, field, ...expected) => {
    const lines = await look({ [field]: 'err' });
    const shown = lines.filter((line) => line.startsWith('soleseat_redis_persistence_ok{'));
    expect(shown).toEqual(
      expected.map((one) => {
        const [file, value] = one.split(' ');
        return `soleseat_redis_persistence_ok{address="server:6379",file="${file}"} ${value}`;
      }),
    );
  });

  it("of its replicas: the lag is the furthest one's", async () => {
    const replica = (offset: number, lag: number) =>
      `ip=127.0.0.1,port=1,state=online,offset=${offset},lag=${lag}`;
    const lines = await look({
      role: 'master',
      master_repl_offset: '1000',
      slave0: replica(990, 1),
      slave1: replica(400, 7),
      slave2: replica(1000, 0),
    });
    expect(lines).toContain('soleseat_redis_replication_lag_bytes{address="server:6379"} 600');
    expect(lines).toContain('soleseat_redis_replication_lag_seconds{address="server:6379"} 7');
  });

  it('of its policy: the former one leaves no series', async () => {
    const lines = await look({ maxmemory_policy: 'allkeys-lru' }, { maxmemory_policy: 'noeviction' });
    expect(lines.filter((line) => line.startsWith('soleseat_redis_eviction_policy_info{'))).toEqual([
      'soleseat_redis_eviction_policy_info{address="server:6379",policy="noeviction"} 1',
    ]);
  });
});
