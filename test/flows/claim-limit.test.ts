import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { startNode } from '../support/node.js';
import { testRedis } from '../support/redis.js';

const LIMIT = 4;
let redis: RedisProcess;
let store: Redis;
let nodes: Broker[];

beforeAll(async () => {
  redis = await testRedis();
  store = new Redis(redis.url);
  const more = { SOLESEAT_CLAIMS_PER_MINUTE: String(LIMIT) };
  nodes = [await startNode(redis.url, more), await startNode(redis.url, more)];
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  store.disconnect();
  await redis.stop();
});

/** The n-th claim: by turns through one node and the other. */
function claim(n: number, user: string, machineId = 'desk'): Promise<Desktop> {
  return Desktop.hello(nodes[n % 2]?.ports.public ?? 0, user, machineId);
}

describe('a user who claims too often (promise 11)', () => {
  it('is told when to come back whichever node is asked, and the holder keeps the seat', async () => {
    let holder = await claim(0, 'ada');
    await holder.told('welcome');
    for (let n = 1; n < LIMIT; n++) {
      holder = await claim(n, 'ada');
      await holder.told('welcome');
    }
    for (const n of [LIMIT, LIMIT + 1]) {
      const refused = await claim(n, 'ada', 'laptop');
      const error = await refused.told('error');
      expect(error.code).toBe('rate_limited');
      expect(error.retryAfterMs).toBeGreaterThan(0);
      expect(error.retryAfterMs).toBeLessThanOrEqual(60_000);
      expect(await refused.close()).toEqual({ code: 4429, reason: 'rate_limited' });
      const page = async () => (await nodes[n % 2]?.metrics.registry.metrics()) ?? '';
      await eventually(async () =>
        (await page()).includes('soleseat_claims_total{outcome="rate_limited"} 1\n'),
      );
    }
    await holder.told('lease');
    expect(holder.closed).toBeNull();
    await (await claim(0, 'grace')).told('welcome');
  });

  it('gets in again once the minute is over', async () => {
    for (let n = 0; n < LIMIT; n++) await (await claim(n, 'kay')).told('welcome');
    expect((await (await claim(0, 'kay')).close()).code).toBe(4429);
    expect(await store.pttl('soleseat:{acme}:claims:kay')).toBeGreaterThan(0);
    await store.pexpire('soleseat:{acme}:claims:kay', 0);
    await (await claim(0, 'kay')).told('welcome');
  });

  it.each(['SOLESEAT_CLAIMS_PER_MINUTE', 'SOLESEAT_TAKEOVERS_PER_MINUTE'])(
    'may knock as often as can be where %s is 0',
    async (setting) => {
      const open = await startNode(redis.url, { SOLESEAT_CLAIMS_PER_MINUTE: '1', [setting]: '0' });
      for (let n = 0; n < 3 * LIMIT; n++) {
        await (await Desktop.hello(open.ports.public, 'eve', 'desk')).told('welcome');
      }
      await open.stop();
      expect(await store.exists('soleseat:{acme}:claims:eve')).toBe(0);
    },
  );
});
