import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import type { SettingTexts } from '../../src/base/settings.js';
import type { Broker } from '../../src/broker.js';
import { provisionRedis } from '../../src/embedded/find-redis.js';
import { type RedisProcess, startRedis } from '../../src/embedded/redis-process.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { SELDOM, startNode } from '../support/node.js';
import { testRedis } from '../support/redis.js';
import { RedisProxy } from '../support/redis-proxy.js';

const ends: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function storeOf(redis: RedisProcess): Redis {
  const store = new Redis(redis.url);
  store.on('error', () => {});
  ends.push(
    () => redis.stop(),
    () => store.disconnect(),
  );
  return store;
}

async function nodeOn(url: string, more: SettingTexts = {}): Promise<Broker> {
  const node = await startNode(url, more);
  ends.push(() => node.stop());
  return node;
}

/** A node that hears no notice, and renews so seldom that it will not find out by itself. */
async function deafNodeOn(redis: RedisProcess): Promise<Broker> {
  const proxy = await RedisProxy.start(redis.url);
  ends.push(() => proxy.stop());
  const node = await nodeOn(proxy.url, { ...SELDOM, SOLESEAT_PROBE_EVERY_MS: '1h' });
  proxy.losesInbox = true;
  return node;
}

async function leaseOf(store: Redis, user: string) {
  const [sessionId, epoch] =
    (await store.get(`soleseat:{acme}:lease:${user}`).catch(() => null))?.split(':') ?? [];
  return sessionId === undefined ? null : { sessionId, epoch: Number(epoch) };
}

/** Whether the session has the seat again, under an epoch above the one it had. */
async function isBack(
  store: Redis,
  user: string,
  had: { sessionId: string; epoch: number },
): Promise<boolean> {
  const lease = await leaseOf(store, user);
  return lease?.sessionId === had.sessionId && lease.epoch > had.epoch;
}

describe('promise 8: when Redis was restarted without its data', () => {
  it('three nodes put all their leases back, and no epoch comes twice', async () => {
    const redis = await testRedis();
    const store = storeOf(redis);
    const nodes = [await nodeOn(redis.url), await nodeOn(redis.url), await nodeOn(redis.url)];
    const users = Array.from({ length: 60 }, (_, i) => `user-${i}`);
    const dial = (user: string, i: number, machine: string) =>
      Desktop.hello(nodes[i % 3]?.ports.public ?? 0, user, machine);
    const holders = await Promise.all(users.map((user, i) => dial(user, i, 'workstation')));
    const first = await Promise.all(holders.map((holder) => holder.told('welcome')));
    redis.kill('SIGKILL');
    await redis.restart();
    await eventually(async () => (await store.zcard('soleseat:{acme}:active').catch(() => 0)) === 60);
    for (const [i, user] of users.entries()) {
      const welcome = first[i];
      await eventually(async () => welcome !== undefined && (await isBack(store, user, welcome)));
    }
    await Promise.all(holders.map((holder, i) => holder.until(() => holder.epoch > (first[i]?.epoch ?? 0))));
    const again = holders.map((holder) => holder.epoch);
    expect(holders.filter((holder) => holder.find('evicted') !== undefined)).toEqual([]);
    const takers = await Promise.all(users.map((user, i) => dial(user, i + 1, 'laptop')));
    const second = await Promise.all(takers.map((taker) => taker.told('welcome')));
    const epochs = [...first.map(({ epoch }) => epoch), ...again, ...second.map(({ epoch }) => epoch)];
    expect(new Set(epochs).size).toBe(180);
    for (let i = 60; i < 180; i += 60)
      expect(Math.min(...epochs.slice(i, i + 60))).toBeGreaterThan(Math.max(...epochs.slice(i - 60, i)));
  });

  it('a node finds out within a heartbeat, though no connection broke and no renewal is near', async () => {
    const redis = await testRedis();
    const store = storeOf(redis);
    const node = await nodeOn(redis.url, SELDOM);
    const desktop = await Desktop.hello(node.ports.public, 'ada', 'pc');
    const { sessionId, epoch } = await desktop.told('welcome');
    await eventually(async () => (await store.zcard('soleseat:nodes')) === 1);
    await store.flushall();
    await eventually(async () => isBack(store, 'ada', { sessionId, epoch }));
    expect(desktop.closed).toBeNull();
  });

  it('an org is named anew, though none of its sessions is left: what it lost must be swept', async () => {
    const redis = await testRedis();
    const store = storeOf(redis);
    const node = await nodeOn(redis.url, SELDOM);
    const visit = async (user: string) => {
      const desktop = await Desktop.hello(node.ports.public, user, 'pc');
      await desktop.told('welcome');
      desktop.ws.terminate();
    };
    await visit('ada');
    await eventually(async () => (await store.sismember('soleseat:orgs', 'acme')) === 1);
    await store.flushall();
    await visit('bob');
    await eventually(async () => (await store.sismember('soleseat:orgs', 'acme')) === 1);
  });

  it('the newest act wins, also against a node that has put its own back first', async () => {
    const redis = await testRedis();
    const store = storeOf(redis);
    const deaf = await deafNodeOn(redis);
    const other = await nodeOn(redis.url, SELDOM);
    const workstation = await Desktop.hello(deaf.ports.public, 'ada', 'workstation');
    const old = await workstation.told('welcome');
    const laptop = await Desktop.hello(other.ports.public, 'ada', 'laptop');
    const current = await laptop.told('welcome');
    expect(workstation.closed).toBeNull();
    // All but the directory of nodes, from which they would see it too.
    for (const key of await store.keys('soleseat:{acme}:*')) await store.del(key);
    // The one that is out of date comes first: it finds nothing that speaks against it.
    deaf.verifyAll();
    await eventually(async () => isBack(store, 'ada', old));
    other.verifyAll();
    await eventually(async () => isBack(store, 'ada', current));
    deaf.verifyAll();
    const evicted = await workstation.told('evicted');
    expect(evicted.reason).toBe('taken_over');
    expect(evicted.epoch).toBe((await leaseOf(store, 'ada'))?.epoch);
    expect(laptop.closed).toBeNull();
  });
});

describe('promise 8: when Redis came back as it was a while ago, as a replica that lagged', () => {
  it('later grants come back, and what it knows to be ended stays ended', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'soleseat-lag-'));
    ends.push(() => rmSync(dir, { recursive: true, force: true }));
    const { path: binary } = await provisionRedis({ onProgress: () => {} });
    const redis = await startRedis({ binary, dir });
    const store = storeOf(redis);
    const deaf = await deafNodeOn(redis);
    const node = await nodeOn(redis.url);
    const dial = (at: Broker, user: string, machine: string) => Desktop.hello(at.ports.public, user, machine);
    const evicted = await dial(deaf, 'evicted', 'pc');
    await evicted.told('welcome');
    await node.store.leases.evict({ org: 'acme', user: 'evicted', reason: 'evicted_by_admin', actor: 'ops' });
    const before = await dial(node, 'moved', 'workstation');
    await before.told('welcome');
    await store.save();
    // From here on Redis will know nothing.
    const after = await dial(node, 'moved', 'laptop');
    const current = await after.told('welcome');
    const late = await dial(node, 'late', 'pc');
    const { sessionId, epoch } = await late.told('welcome');
    redis.kill('SIGKILL');
    await redis.restart();
    await eventually(async () => isBack(store, 'late', { sessionId, epoch }));
    await eventually(async () => isBack(store, 'moved', current));
    deaf.verifyAll();
    expect((await evicted.told('evicted')).reason).toBe('evicted_by_admin');
    expect(await leaseOf(store, 'evicted')).toBeNull();
    for (const desktop of [after, late]) expect(desktop.closed).toBeNull();
    const next = await dial(node, 'next', 'pc');
    expect((await next.told('welcome')).epoch).toBeGreaterThan(epoch);
  });
});
