import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { activeByCounters } from '../../src/store/ledger.js';
import { parseLease } from '../../src/store/replies.js';
import { Desktop } from '../support/desktop.js';
import { PATIENT, startNode } from '../support/node.js';
import { testRedis } from '../support/redis.js';
import { storeOn } from '../support/store.js';

let redis: RedisProcess;
let store: Redis;
const nodes: Broker[] = [];

beforeAll(async () => {
  redis = await testRedis();
  store = new Redis(redis.url);
  // Redis and three nodes share two cores with the clients: the lease must outlast the queue.
  for (let i = 0; i < 3; i++) nodes.push(await startNode(redis.url, PATIENT));
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  store.disconnect();
  await redis.stop();
});

/** All machines dial at the same instant, spread over the nodes. Throws unless exactly the highest epoch stays. */
async function race(user: string, machineCount: number, nodeCount: number): Promise<void> {
  const dial = (_: unknown, i: number) => {
    const node = nodes[i % nodeCount];
    if (node === undefined) throw new Error('too few nodes');
    return Desktop.hello(node.ports.public, user, `machine-${i}`);
  };
  const desktops = await Promise.all(Array.from({ length: machineCount }, dial));
  await Promise.all(desktops.map((desktop) => desktop.until(() => desktop.received.length > 0)));
  const lease = parseLease((await store.get(`soleseat:{acme}:lease:${user}`)) ?? '');
  expect(lease, `${user}: nobody has the seat`).not.toBeNull();
  const [winner, ...others] = desktops.filter((one) => one.find('welcome')?.epoch === lease?.epoch);
  expect(others).toEqual([]);
  const losers = desktops.filter((one) => one !== winner);
  for (const loser of losers) {
    expect(await loser.close()).toEqual({ code: 4509, reason: 'taken_over' });
    expect(loser.find('evicted')?.reason).toBe('taken_over');
    expect(loser.find('welcome')?.epoch ?? 0).toBeLessThan(lease?.epoch ?? 0);
  }
  expect(winner?.closed, `${user}: the winner was closed`).toBeNull();
  winner?.ws.close(1000);
  await winner?.close();
}

async function races(
  name: string,
  count: number,
  machineCount: number,
  nodeCount: number,
  atOnce: number,
): Promise<void> {
  const queue = Array.from({ length: count }, (_, i) => `${name}-${i}`);
  const run = async () => {
    for (let user = queue.pop(); user !== undefined; user = queue.pop())
      await race(user, machineCount, nodeCount);
  };
  await Promise.all(Array.from({ length: atOnce }, run));
}

describe('promises 1 and 2: one owner, never zero', () => {
  it('2,000 races of two machines on two nodes each leave the highest epoch alone', async () => {
    await races('pair', 2000, 2, 2, 40);
  }, 240_000);

  it('200 races of ten machines on three nodes each leave the highest epoch alone', async () => {
    await races('crowd', 200, 10, 3, 8);
    // Promise 9: what began and has not ended is active. Both at one moment: the last releases are under way.
    const { counters, active } = await storeOn(store).ledger.tally('acme');
    expect(activeByCounters(counters)).toBe(active);
  }, 240_000);
});
