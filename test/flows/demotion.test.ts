import { afterEach, expect, it } from 'vitest';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { startNode } from '../support/node.js';
import { testRedis } from '../support/redis.js';
import { RedisProxy } from '../support/redis-proxy.js';
import { ask, onlineReplicas } from '../support/redis-topology.js';

const ends: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

it('a master that was made a replica and still answers is left for the master behind the same address', async () => {
  const [first, second] = await Promise.all([testRedis(), testRedis()]);
  for (const server of [first, second]) ends.push(() => server.stop());
  const proxy = await RedisProxy.start(first.url);
  ends.push(() => proxy.stop());
  await ask(second.port, 'REPLICAOF', '127.0.0.1', first.port);
  await eventually(async () => (await onlineReplicas(first.port)) === 1);
  const node = await startNode(proxy.url);
  ends.push(() => node.stop());
  const holder = await Desktop.hello(node.ports.public, 'ada', 'pc');
  const { sessionId, epoch } = await holder.told('welcome');
  const leaseThere = (user: string) => ask(second.port, 'GET', `soleseat:{acme}:lease:${user}`);
  await eventually(async () => String(await leaseThere('ada')).startsWith(`${sessionId}:${epoch}:`));

  await ask(second.port, 'REPLICAOF', 'NO', 'ONE');
  proxy.target = second.url;
  // Unlike a Sentinel, it closes no connection: only what it answers to a write tells.
  await ask(first.port, 'REPLICAOF', '127.0.0.1', second.port);

  // The first one may have been confirmed before.
  const renewals = () => holder.received.filter(({ type }) => type === 'lease').length;
  const before = renewals();
  await holder.until(() => holder.closed !== null || renewals() > before + 1);
  expect(holder.closed).toBeNull();
  const newcomer = await Desktop.hello(node.ports.public, 'bob', 'pc');
  const granted = await newcomer.told('welcome');
  expect(granted.epoch).toBeGreaterThan(epoch);
  expect(await leaseThere('bob')).toContain(`${granted.sessionId}:${granted.epoch}:`);
  expect(await leaseThere('ada')).toContain(`${sessionId}:`);
});
