import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { recount } from '../../src/license/recount.js';
import type { Store } from '../../src/store/store.js';
import { Desktop } from '../support/desktop.js';
import { PATIENT, SELDOM, startNode } from '../support/node.js';
import { testRedis } from '../support/redis.js';
import { storeOn } from '../support/store.js';

const REVOKED = 1_000;
const OTHERS = 100;
let redis: RedisProcess;
let client: Redis;
let nodes: Broker[];
let desk: Store;

beforeAll(async () => {
  redis = await testRedis();
  client = new Redis(redis.url);
  // No renewal may find out before the notice: which of the two told it is judged below.
  const settings = { ...PATIENT, ...SELDOM, SOLESEAT_LICENSE_MODE: 'required' };
  nodes = [await startNode(redis.url, settings), await startNode(redis.url, settings)];
  desk = storeOn(client, { nodeId: 'desk' });
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  client.disconnect();
  await redis.stop();
});

describe('revoking a thousand licenses in use', () => {
  it('ends each session with its code on both nodes, counts right, and touches no other', async () => {
    const order = (i: number) => ({ org: 'acme', user: `u${i}`, actor: 'root' });
    const all = Array.from({ length: REVOKED + OTHERS }, (_, i) => i);
    await Promise.all(all.map((i) => desk.licenses.issue({ ...order(i), id: `l${i}`, requestId: `q${i}` })));
    const desktops: Desktop[] = [];
    for (const i of all) desktops.push(await Desktop.hello(nodes[i % 2]?.ports.public ?? 0, `u${i}`, 'desk'));
    await Promise.all(desktops.map((one) => one.told('welcome')));

    await Promise.all(all.slice(0, REVOKED).map((i) => desk.licenses.revoke(order(i))));

    const ends = await Promise.all(desktops.slice(0, REVOKED).map((one) => one.close()));
    expect(new Set(ends.map(({ code, reason }) => `${code} ${reason}`))).toEqual(
      new Set(['4511 license_revoked']),
    );
    for (const one of desktops.slice(0, REVOKED)) expect(one.find('evicted')?.reason).toBe('license_revoked');
    expect(desktops.slice(REVOKED).every((one) => one.closed === null && !one.find('evicted'))).toBe(true);
    const counts = await desk.orgs.counts('acme');
    expect(counts).toMatchObject({
      issued: OTHERS,
      active: OTHERS,
      revoked: REVOKED,
      peak: REVOKED + OTHERS,
    });
    expect(counts.ended).toEqual({ license_revoked: REVOKED });
    expect((await recount(desk, 'acme', { repairBy: null })).differences).toEqual([]);
    const perNode = await Promise.all(
      nodes.map((node) => node.metrics.evictions.get().then(({ values }) => values)),
    );
    const paths = perNode.flat().filter(({ value }) => value > 0);
    expect(new Set(paths.map(({ labels }) => `${labels.reason} ${labels.path}`))).toEqual(
      new Set(['license_revoked pubsub']),
    );
    expect(paths.reduce((sum, { value }) => sum + value, 0)).toBe(REVOKED);
  });
});
