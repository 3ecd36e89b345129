import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../../src/base/log.js';
import { createMetrics } from '../../src/base/metrics.js';
import type { Broker } from '../../src/broker.js';
import { MASTER_NAME, type SentinelTopology } from '../../src/embedded/redis-topology.js';
import { connectRedis, openCommands } from '../../src/store/redis.js';
import { Crowd, expectNoEpochTwice, helloOf, Rivals } from '../support/crowd.js';
import { eventually } from '../support/eventually.js';
import { startNode, startProblem } from '../support/node.js';
import { ask, cutOff, onlineReplicas, serverAt, testSentinels } from '../support/redis-topology.js';

const orgs = ['acme', 'globex', 'initech'];
let redis: SentinelTopology;
let nodes: Broker[];
let ports: number[];

beforeAll(async () => {
  redis = await testSentinels();
  const more = { SOLESEAT_TAKEOVERS_PER_MINUTE: '0' };
  nodes = await Promise.all([startNode(redis.url, more), startNode(redis.url, more)]);
  ports = nodes.map((node) => node.ports.public);
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  await redis.stop();
});

async function masterPort(): Promise<number> {
  const [sentinel] = redis.sentinels;
  const address = await ask(sentinel?.port ?? 0, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER_NAME);
  return Number((address as string[])[1]);
}

/** Waits until the Sentinels have chosen another master and it has so many replicas. */
async function failedOver(from: number, replicas: number): Promise<number> {
  await eventually(async () => (await masterPort()) !== from);
  const to = await masterPort();
  await eventually(async () => (await onlineReplicas(to)) >= replicas);
  return to;
}

describe('with Redis Sentinel', () => {
  it('a node says why it does not start on the wrong server or the wrong name', async () => {
    const sentinel = `127.0.0.1:${redis.sentinels[0]?.port}`;
    const [master, replica] = redis.servers.map(({ port }) => `127.0.0.1:${port}`);
    expect(await startProblem(`redis+sentinel://${sentinel}/other`)).toContain(
      'no Sentinel tells where the master is: ERR No such master',
    );
    expect(await startProblem(`redis://${sentinel}`)).toContain('this is a Sentinel');
    expect(await startProblem(`redis://${replica}`)).toContain('this is a replica');
    expect(await startProblem(`redis+cluster://${master}`)).toContain(
      'no node of the cluster tells its slots: ERR This instance has cluster support disabled',
    );
  });

  it('a connection that is told to begin anew while it asks the Sentinels does not end', async () => {
    const parts = { log: createLog('silent', 'test'), metrics: createMetrics() };
    const connection = openCommands({ redisUrl: redis.url, commandTimeoutMs: 1000 }, parts);
    const connected = connectRedis(connection);
    connection.disconnect(true);
    await connected;
    expect(await connection.ping()).toBe('PONG');
    connection.disconnect();
  });

  it('a failover that the Sentinels are asked for ends no session', async () => {
    const crowd = await Crowd.seat(ports, orgs, 10);
    const rivals = new Rivals(ports, orgs);
    const before = await masterPort();
    await ask(redis.sentinels[0]?.port ?? 0, 'SENTINEL', 'FAILOVER', MASTER_NAME);
    await failedOver(before, 1);
    await crowd.renewed();
    await rivals.end();
    expect(crowd.lost()).toEqual([]);
    expectNoEpochTwice(rivals);
    crowd.leave();
  });

  it('after kill -9 of the master under load, every session recovers and new claims work', async () => {
    const crowd = await Crowd.seat(ports, orgs, 10);
    const rivals = new Rivals(ports, orgs);
    const before = await masterPort();
    serverAt(redis, before).kill('SIGKILL');
    await Promise.all(crowd.members.map(({ desktop }) => desktop.told('jeopardy')));
    await failedOver(before, 1);
    await Promise.all(crowd.members.map(({ desktop }) => desktop.told('recovered')));
    await crowd.renewed();
    await rivals.end();
    expect(crowd.lost()).toEqual([]);
    expectNoEpochTwice(rivals);
    // From the other node, and told there through the inbox of the new master.
    const [loser] = crowd.members;
    const laptop = await helloOf(ports[1] ?? 0, loser?.org ?? '', loser?.user ?? '', 'laptop');
    await laptop.told('welcome');
    expect(await loser?.desktop.told('evicted')).toMatchObject({ by: { machine: { name: 'laptop' } } });
    crowd.leave();
  });

  it('a master that was cut off is left, and what it alone knew is put back under new epochs, and none is given twice', async () => {
    const [here = 0, there = 0] = ports;
    const desktop = await helloOf(here, 'umbrella', 'taken', 'workstation');
    const { epoch: first } = await desktop.told('welcome');
    const before = await masterPort();
    await cutOff(before);
    // These two grants, and the end of the first one, are lost with the master: nobody else hears of them.
    const winner = await helloOf(there, 'umbrella', 'taken', 'laptop');
    const granted = await winner.told('welcome');
    expect((await desktop.close()).code).toBe(4509);
    const newcomer = await helloOf(here, 'umbrella', 'new');
    const entered = await newcomer.told('welcome');
    const after = await failedOver(before, 0);
    const isBack = async (user: string, had: { sessionId: string; epoch: number }) => {
      const lease = String(await ask(after, 'GET', `soleseat:{umbrella}:lease:${user}`));
      const [sessionId, epoch] = lease.split(':');
      return sessionId === had.sessionId && Number(epoch) > had.epoch;
    };
    await eventually(() => isBack('taken', granted));
    await eventually(() => isBack('new', entered));
    expect([winner.closed, newcomer.closed]).toEqual([null, null]);
    const later = await helloOf(there, 'umbrella', 'later');
    const { epoch: last } = await later.told('welcome');
    await winner.until(() => winner.epoch > granted.epoch);
    const epochs = [first, granted.epoch, entered.epoch, winner.epoch, last];
    expect(last).toBeGreaterThan(entered.epoch);
    expect(epochs).toEqual([...new Set(epochs)].sort((a, b) => a - b));
    // Promise 9, on what is left.
    const counters = (await ask(after, 'HGETALL', 'soleseat:{umbrella}:counters')) as string[];
    let balance = 0;
    for (let i = 0; i < counters.length; i += 2) {
      if (/^(granted|reasserted)$/.test(counters[i] ?? '')) balance += Number(counters[i + 1]);
      if (counters[i]?.startsWith('ended:')) balance -= Number(counters[i + 1]);
    }
    expect(balance).toBe(await ask(after, 'ZCARD', 'soleseat:{umbrella}:active'));
  });
});
