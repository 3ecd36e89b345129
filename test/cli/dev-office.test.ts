import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import { openOffice, seedOffice } from '../../src/cli/dev-office.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { recount } from '../../src/license/recount.js';
import { usageByDay } from '../../src/license/usage.js';
import { eventually } from '../support/eventually.js';
import { startNode, tokenFor } from '../support/node.js';
import { testRedis } from '../support/redis.js';

let redis: RedisProcess;
let client: Redis;
let broker: Broker;

beforeAll(async () => {
  redis = await testRedis();
  client = new Redis(redis.url);
  broker = await startNode(redis.url);
});
afterAll(async () => {
  await broker.stop();
  client.disconnect();
  await redis.stop();
});

describe('the seeded org', () => {
  it('has licenses and a past at once, and is seeded one time only', async () => {
    await seedOffice(broker.store, redis.url, Math.random);
    const first = await broker.store.orgs.counts('acme');
    expect(first).toMatchObject({ suspended: 1, revoked: 1 });
    expect(first.issued).toBeGreaterThan(30);
    expect(first.available).toBeGreaterThan(0);
    await seedOffice(broker.store, redis.url, Math.random);
    expect(await broker.store.orgs.counts('acme')).toEqual(first);
    expect((await recount(broker.store, 'acme', { repairBy: null })).differences).toEqual([]);
    const days = await usageByDay(broker.store.usage, 'acme', {
      fromMs: Date.now() - 8 * 86_400_000,
      untilMs: Date.now(),
      timeZone: 'Asia/Kathmandu',
    });
    // Of today there may be but a few hours of the night.
    const whole = days.slice(0, -1);
    expect(whole.length).toBeGreaterThanOrEqual(8);
    expect(whole.every(({ uniqueUsers }) => uniqueUsers > 0)).toBe(true);
    expect(Math.max(...days.map(({ peak }) => peak))).toBeGreaterThan(20);
  });

  it('has people at work, who walk from machine to machine', async () => {
    openOffice({ url: `ws://127.0.0.1:${broker.ports.public}/v1/connect`, tokenFor }, () => 0.4);
    await eventually(async () => (await broker.store.orgs.counts('acme')).active === 9);
    await eventually(async () => (await broker.store.orgs.counts('acme')).granted > 9);
  });
});
