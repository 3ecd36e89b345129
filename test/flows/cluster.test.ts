import { setTimeout as pause } from 'node:timers/promises';
import { Cluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../../src/base/log.js';
import { createMetrics } from '../../src/base/metrics.js';
import type { Broker } from '../../src/broker.js';
import type { RedisTopology } from '../../src/embedded/redis-topology.js';
import { connectRedis, openCommands, redisNodes } from '../../src/store/redis.js';
import { Crowd, expectNoEpochTwice, helloOf, Rivals } from '../support/crowd.js';
import type { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { SELDOM, startNode, startProblem } from '../support/node.js';
import {
  inboxPorts,
  mastersOf,
  moveSlots,
  onlineReplicas,
  serverAt,
  testCluster,
} from '../support/redis-topology.js';

const orgs = Array.from({ length: 12 }, (_, i) => `org-${i}`);
let redis: RedisTopology;
let nodes: Broker[];
let ports: number[];
let store: Cluster;

beforeAll(async () => {
  redis = await testCluster();
  store = new Cluster(redis.servers.map(({ port }) => ({ host: '127.0.0.1', port })));
  const more = { SOLESEAT_TAKEOVERS_PER_MINUTE: '0' };
  nodes = await Promise.all([startNode(redis.url, more), startNode(redis.url, more)]);
  ports = nodes.map((node) => node.ports.public);
});
afterAll(async () => {
  store.disconnect();
  await Promise.all(nodes.map((node) => node.stop()));
  await redis.stop();
});

const epochKey = (org: string) => `soleseat:{${org}}:epoch`;
const epochKeys = orgs.map(epochKey);

/** How many takeovers a node heard of through its inbox. */
async function heardByInbox({ metrics }: Broker): Promise<number> {
  const page = await metrics.registry.metrics();
  return Number(/evictions_total\{reason="taken_over",path="pubsub"\} (\d+)/.exec(page)?.[1] ?? 0);
}

/** Takes every seat over from the other of two nodes. */
async function takeOver({ members }: Crowd, [first, second]: readonly number[]): Promise<void> {
  const laptops = await Promise.all(
    members.map(({ org, user }, i) => helloOf((i % 2 === 0 ? second : first) ?? 0, org, user, 'laptop')),
  );
  await Promise.all(laptops.map((laptop) => laptop.told('welcome')));
  await Promise.all(members.map(({ desktop }) => desktop.told('evicted')));
}

describe('with Redis Cluster', () => {
  it('a node says why it does not start on one server of it alone', async () => {
    expect(await startProblem(redis.servers[0]?.url ?? '')).toContain('this is a node of a cluster');
  });

  it('orgs spread over the masters, and from each of them a notice finds the inbox of the other node', async () => {
    expect(new Set(await mastersOf(redis, epochKeys)).size).toBe(3);
    const pair = await Promise.all([startNode(redis.url, SELDOM), startNode(redis.url, SELDOM)]);
    const pairPorts = pair.map((node) => node.ports.public);
    const crowd = await Crowd.seat(pairPorts, orgs, 1);
    await takeOver(crowd, pairPorts);
    expect(await Promise.all(pair.map(heardByInbox))).toEqual([orgs.length / 2, orgs.length / 2]);
    await Promise.all(pair.map((node) => node.stop()));
  });

  it('an ASKING that is not answered in time is nobody’s rejection, which would end the node', async () => {
    const parts = { log: createLog('silent', 'test'), metrics: createMetrics() };
    const connection = openCommands({ redisUrl: redis.url, commandTimeoutMs: 300 }, parts);
    await connectRedis(connection);
    const [first] = redisNodes(connection);
    const server = serverAt(redis, first?.redis.options.port ?? 0);
    server.kill('SIGSTOP');
    const answer = first?.redis.asking();
    await expect(answer?.finally(() => server.kill('SIGCONT'))).resolves.toBe('OK');
    connection.disconnect();
  });

  it('slots that are moved under load lose no session', async () => {
    // A claim may wait for longer than a slot is on its way, also on a busy machine.
    const patience = {
      SOLESEAT_TAKEOVERS_PER_MINUTE: '0',
      SOLESEAT_COMMAND_TIMEOUT_MS: '2500',
      SOLESEAT_LEASE_TTL_MS: '9000',
      SOLESEAT_RENEW_EVERY_MS: '1500',
    };
    const pair = await Promise.all([startNode(redis.url, patience), startNode(redis.url, patience)]);
    const pairPorts = pair.map((node) => node.ports.public);
    const crowd = await Crowd.seat(pairPorts, orgs, 5);
    const rivals = new Rivals(pairPorts, orgs.slice(0, 6));
    const [slowOrg = ''] = orgs;
    let patient: Desktop | undefined;
    await moveSlots(redis, epochKeys.slice(0, 6), async (key) => {
      if (key !== epochKey(slowOrg)) return;
      patient = await helloOf(pairPorts[0] ?? 0, slowOrg, 'patient');
      await pause(300);
    });
    // Who claims while the slot is on its way waits rather than being refused.
    await patient?.told('welcome');
    expect(patient).toBeDefined();
    await crowd.renewed();
    await rivals.end();
    expect(crowd.lost()).toEqual([]);
    expectNoEpochTwice(rivals);
    for (const { org, user, desktop } of crowd.members) {
      const { sessionId } = await desktop.told('welcome');
      // The slot's new master has another replication id: what was held is confirmed under a new epoch there.
      const lease = await store.get(`soleseat:{${org}}:lease:${user}`);
      expect(lease).toContain(`${sessionId}:`);
      await desktop.until(() => lease?.startsWith(`${sessionId}:${desktop.epoch}:`) === true);
    }
    crowd.leave();
    await Promise.all(pair.map((node) => node.stop()));
  });

  it('after kill -9 of a master under load its sessions recover, those of the others go on, and inboxes move', async () => {
    const crowd = await Crowd.seat(ports, orgs, 4);
    const rivals = new Rivals(ports, orgs.slice(0, 6));
    const masters = await mastersOf(redis, epochKeys);
    const [killed = 0] = await inboxPorts(redis);
    serverAt(redis, killed).kill('SIGKILL');
    const hitOrgs = new Set(orgs.filter((_, i) => masters[i] === killed));
    expect(hitOrgs.size).toBeGreaterThan(0);
    const hit = crowd.members.filter(({ org }) => hitOrgs.has(org));
    await Promise.all(hit.map(({ desktop }) => desktop.told('jeopardy')));
    await Promise.all(hit.map(({ desktop }) => desktop.told('recovered')));
    await crowd.renewed();
    await rivals.end();
    expect(crowd.lost()).toEqual([]);
    // Not none: a busy machine may make anybody's renewal late.
    const others = crowd.members.length - hit.length;
    expect(crowd.endangered().length - hit.length).toBeLessThan(others / 2);
    expectNoEpochTwice(rivals);
    await eventually(async () => (await inboxPorts(redis)).length === nodes.length);
    const before = await Promise.all(nodes.map(heardByInbox));
    await takeOver(crowd, ports);
    const after = await Promise.all(nodes.map(heardByInbox));
    expect(after.every((count, i) => count > (before[i] ?? 0))).toBe(true);
  });

  it('a master that falls silent, its connections open, is left for the one that takes its place', async () => {
    const crowd = await Crowd.seat(ports, orgs, 4);
    const masters = await mastersOf(redis, epochKeys);
    // The one whose replica took over before has none left.
    const replicas = await Promise.all(masters.map(onlineReplicas));
    const silent = masters[replicas.indexOf(1)] ?? 0;
    serverAt(redis, silent).kill('SIGSTOP');
    const hit = crowd.members.filter(({ org }) => masters[orgs.indexOf(org)] === silent);
    expect(hit.length).toBeGreaterThan(0);
    await Promise.all(hit.map(({ desktop }) => desktop.told('jeopardy')));
    await Promise.all(hit.map(({ desktop }) => desktop.told('recovered')));
    expect(crowd.lost()).toEqual([]);
    crowd.leave();
  });
});
