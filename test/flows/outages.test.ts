import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { seatAll } from '../support/crowd.js';
import { Desktop, resume } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { startNode, tokenFor } from '../support/node.js';
import { testRedis } from '../support/redis.js';
import { RedisProxy } from '../support/redis-proxy.js';

const ends: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function redisOf(): Promise<{ redis: RedisProcess; store: Redis }> {
  const redis = await testRedis();
  const store = new Redis(redis.url);
  store.on('error', () => {});
  ends.push(
    () => redis.stop(),
    () => store.disconnect(),
  );
  return { redis, store };
}

async function nodeOn(url: string, more: Record<string, string> = {}): Promise<Broker> {
  const node = await startNode(url, more);
  ends.push(() => node.stop());
  return node;
}

/** The HTTP answer to a handshake that is refused. */
async function refusal(port: number): Promise<{ status: number; retryAfter: string | undefined }> {
  return new Promise((resolve, reject) => {
    Desktop.open(port, tokenFor('refused'), {}, (response) =>
      resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] }),
    ).then(
      (desktop) => {
        desktop.ws.terminate();
        resolve({ status: 101, retryAfter: undefined });
      },
      () => reject(new Error('no answer')),
    );
  });
}

const readiness = (node: Broker) =>
  fetch(`http://127.0.0.1:${node.ports.admin}/readyz`).then(({ status }) => status);

const isLease = ({ type }: { readonly type: string }) => type === 'lease';
const leaseKey = (user: string) => `soleseat:{acme}:lease:${user}`;

describe('while Redis is frozen', () => {
  it('no claim and no eviction is let through, then or later, and the holder keeps its seat', async () => {
    const { redis, store } = await redisOf();
    const node = await nodeOn(redis.url);
    const holder = await Desktop.hello(node.ports.public, 'holder', 'pc');
    const { sessionId } = await holder.told('welcome');
    redis.kill('SIGSTOP');
    const newcomer = await Desktop.hello(node.ports.public, 'newcomer', 'pc');
    const rival = await Desktop.hello(node.ports.public, 'holder', 'laptop');
    await expect(
      node.store.leases.evict({ org: 'acme', user: 'holder', reason: 'evicted_by_admin', actor: 'ops' }),
    ).rejects.toThrow('out of reach');
    for (const visitor of [newcomer, rival]) {
      expect(await visitor.close()).toEqual({ code: 1013, reason: 'store_unavailable' });
      expect(visitor.find('error')?.retryAfterMs).toBeGreaterThan(0);
    }
    await holder.told('jeopardy');
    expect(await readiness(node)).toBe(503);
    expect(await refusal(node.ports.public)).toEqual({ status: 503, retryAfter: expect.any(String) });
    redis.kill('SIGCONT');
    await holder.told('recovered');
    // By now Redis has run all that lay in its buffers: what came after it has been answered.
    await eventually(async () => (await readiness(node)) === 200);
    expect(await store.exists(leaseKey('newcomer'))).toBe(0);
    expect(await store.hget('soleseat:{acme}:counters', 'granted')).toBe('1');
    expect(holder.find('evicted')).toBeUndefined();
    // On a busy machine the lease may have run out meanwhile: then the node has put the same session back.
    expect(await store.get(leaseKey('holder'))).toMatch(new RegExp(`^${sessionId}:`));
  });

  it('a session ends at its deadline and the grace, not later', async () => {
    const { redis, store } = await redisOf();
    const node = await nodeOn(redis.url, { SOLESEAT_JEOPARDY_GRACE_MS: '1000' });
    const holder = await Desktop.hello(node.ports.public, 'ada', 'pc');
    await holder.told('lease');
    const leaseEndMs = Number(await store.zscore('soleseat:{acme}:active', 'ada'));
    redis.kill('SIGSTOP');
    const { graceMs } = await holder.told('jeopardy');
    const toldMs = performance.now();
    expect(await holder.close()).toEqual({ code: 4010, reason: 'lease_lost' });
    // The deadline is 300 ms before the lease's end. Judged by the lease, as this process may hear of the jeopardy
    // late; 200 ms are for the way of the last renewal to Redis.
    expect(Date.now()).toBeGreaterThan(leaseEndMs - 300 + 1000 - 200);
    // At the tick of the wheel after it; the rest is for how late a busy machine may be.
    expect(performance.now() - toldMs).toBeLessThan(graceMs + 1500);
  });
});

describe('after Redis was away', () => {
  it('was down: all are told, refused at the door, and recover with jitter, without an eviction', async () => {
    const { redis, store } = await redisOf();
    // With an interval of a second and more they recover within a second.
    const node = await nodeOn(redis.url, {
      SOLESEAT_LEASE_TTL_MS: '12000',
      SOLESEAT_RENEW_EVERY_MS: '1500',
    });
    const users = Array.from({ length: 200 }, (_, i) => `user-${i}`);
    const holders = await seatAll(node.ports.public, users);
    redis.kill('SIGKILL');
    await Promise.all(holders.map((holder) => holder.told('jeopardy')));
    expect(await refusal(node.ports.public)).toEqual({ status: 503, retryAfter: expect.any(String) });
    await redis.restart();
    const recoveredMs = await Promise.all(
      holders.map(async (holder) => {
        await holder.told('recovered');
        return performance.now();
      }),
    );
    expect(holders.filter((holder) => holder.find('evicted') !== undefined)).toEqual([]);
    expect(await store.zcard('soleseat:{acme}:active')).toBe(200);
    recoveredMs.sort((a, b) => a - b);
    const middleHalfMs = (recoveredMs[150] ?? 0) - (recoveredMs[50] ?? 0);
    expect(middleHalfMs).toBeGreaterThan(150);
  });

  it('was cut off without a word: the dead connections are left, and the session goes on', async () => {
    const { redis, store } = await redisOf();
    const proxy = await RedisProxy.start(redis.url);
    ends.push(() => proxy.stop());
    const node = await nodeOn(proxy.url);
    const holder = await Desktop.hello(node.ports.public, 'ada', 'pc');
    const { sessionId } = await holder.told('welcome');
    proxy.cutOff();
    await holder.told('jeopardy');
    await eventually(async () => (await readiness(node)) === 503);
    // What was open stays dead, as behind a router that has forgotten it; only new connections get through.
    proxy.heal();
    await holder.told('recovered');
    // On a busy machine the lease may have run out meanwhile: then the node has put the same session back.
    expect(await store.get(leaseKey('ada'))).toMatch(new RegExp(`^${sessionId}:`));
    await eventually(async () => (await readiness(node)) === 200);
    const laptop = await Desktop.hello(node.ports.public, 'ada', 'laptop');
    await laptop.told('welcome');
    expect((await holder.told('evicted')).reason).toBe('taken_over');
  });

  it('is slow, but answers in time: nobody notices', async () => {
    const { redis } = await redisOf();
    const proxy = await RedisProxy.start(redis.url);
    ends.push(() => proxy.stop());
    const node = await nodeOn(proxy.url);
    const workstation = await Desktop.hello(node.ports.public, 'ada', 'workstation');
    await workstation.told('lease');
    proxy.delayMs = 300;
    const laptop = await Desktop.hello(node.ports.public, 'ada', 'laptop');
    await laptop.told('welcome');
    expect((await workstation.told('evicted')).reason).toBe('taken_over');
    await laptop.until(() => laptop.received.filter(isLease).length >= 3);
    expect(laptop.find('jeopardy')).toBeUndefined();
    expect(await readiness(node)).toBe(200);
  });
});

describe('with the memory of Redis full', () => {
  it('sessions are renewed, resumed, released and evicted, new ones are refused with the reason', async () => {
    const { redis, store } = await redisOf();
    const node = await nodeOn(redis.url);
    const dial = (user: string) => Desktop.hello(node.ports.public, user, 'pc');
    const [kept, moved, released, evicted] = await Promise.all(
      ['kept', 'moved', 'released', 'evicted'].map(dial),
    );
    if (!kept || !moved || !released || !evicted) throw new Error('four were dialled');
    for (const desktop of [kept, moved, released, evicted]) await desktop.told('welcome');
    await store.config('SET', 'maxmemory', '1');
    const refused = await dial('refused');
    expect(await refused.close()).toEqual({ code: 1013, reason: 'store_unavailable' });
    expect(refused.find('error')?.message).toContain('out of memory');
    const renewed = () => kept.received.filter(isLease).length;
    const before = renewed();
    await kept.until(() => renewed() > before + 1);
    const again = await resume(node.ports.public, 'moved', 'pc', moved);
    expect((await again.told('welcome')).resumed).toBe(true);
    released.say({ type: 'release' });
    expect((await released.close()).code).toBe(1000);
    expect(
      await node.store.leases.evict({
        org: 'acme',
        user: 'evicted',
        reason: 'evicted_by_admin',
        actor: 'ops',
      }),
    ).not.toBeNull();
    expect((await evicted.told('evicted')).reason).toBe('evicted_by_admin');
    const active = await store.zrange('soleseat:{acme}:active', '0', '-1');
    expect(active.sort()).toEqual(['kept', 'moved']);
    expect(await store.exists(leaseKey('released'), leaseKey('evicted'), leaseKey('refused'))).toBe(0);
    // A lost connection whose seat nobody comes back for leaves the counts as ever.
    again.ws.terminate();
    await eventually(async () => (await store.zcard('soleseat:{acme}:active')) === 1);
    const counters = await store.hgetall('soleseat:{acme}:counters');
    expect(counters).toMatchObject({
      granted: '4',
      resumed: '1',
      'ended:released': '1',
      'ended:evicted_by_admin': '1',
      'ended:expired': '1',
    });
    expect(kept.find('jeopardy')).toBeUndefined();
    await store.config('SET', 'maxmemory', '0');
    await (await dial('refused')).told('welcome');
  });
});
