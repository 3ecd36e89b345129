import { beforeEach, describe, expect, it } from 'vitest';
import { keyNames } from '../../src/store/keys.js';
import type { Store } from '../../src/store/store.js';
import { useRedis } from '../support/redis.js';
import { issueTo, requestFor, storeOn } from '../support/store.js';

const keys = keyNames('soleseat:');
const redis = useRedis();
let store: Store;

beforeEach(async () => {
  await redis.client.flushall();
  store = storeOn(redis.client);
});

const orgs = Array.from({ length: 30 }, (_, i) => `org-${i}`);
const report = { version: '0', publicAddress: 'x:1', startedAtMs: 0, sessions: 0, state: 'ready' as const };

/** Takes away what version 0.1 does not write. */
async function asVersion01(names: readonly string[]): Promise<void> {
  await redis.client.del('soleseat:due', 'soleseat:totals', 'soleseat:quota', keys.orgNames);
  for (const org of names) {
    const fields = await redis.client.hkeys(keys.counters(org));
    const summed = fields.filter((name) => name.startsWith('summed:'));
    if (summed.length > 0) await redis.client.hdel(keys.counters(org), ...summed);
  }
}

/** A node of version 0.1 in the directory: it does not say which data it writes. */
async function oldNode(): Promise<void> {
  const [seconds] = await redis.client.time();
  await redis.client.zadd(keys.nodes, Number(seconds) * 1000, 'old');
  await redis.client.hset(keys.nodeInfo, 'old', JSON.stringify({ ...report, version: '0.1.0' }));
}

async function claimIn(names: readonly string[]): Promise<void> {
  const { leases } = storeOn(redis.client, { nodeId: 'n2' });
  await Promise.all(names.map((org) => leases.claim({ ...requestFor('ann', { id: 'desk' }), org })));
}

async function sweep(by: Store): Promise<number> {
  await redis.client.del(keys.sweepTurn);
  return by.sweeper.sweep(1);
}

describe('data of version 0.1', () => {
  it('comes into the index and, each org once, into the totals when the first node starts', async () => {
    await claimIn(orgs);
    await issueTo(store, 'bob');
    await store.orgs.change('acme', { quota: 2 }, 'root');
    const all = [...orgs, 'acme'];
    const before = await store.totals.read();
    expect(before).toMatchObject({ orgs: all.length, active: orgs.length, issued: 1, quota: 2 });
    await asVersion01(all);
    // Something happens to some of them before anybody has looked.
    await claimIn(orgs.slice(0, 5));
    expect(await store.upgrade.look()).toBe(true);
    await Promise.all([store, storeOn(redis.client, { nodeId: 'n3' })].map(sweep));
    expect(await store.totals.read()).toEqual(before);
    expect(await store.totals.check(false)).toEqual([]);
    expect(await store.totals.above(0.4)).toBe(1);
    expect(await store.orgs.namesAfter('', 100)).toEqual([...all].sort());
    // Nothing is ever due in the one without sessions.
    expect((await redis.client.zrange('soleseat:due', '0', '-1')).sort()).toEqual([...orgs].sort());
  });

  it('is put into the index again and again while an old node writes it, and once after', async () => {
    await oldNode();
    expect(await store.upgrade.look()).toBe(true);
    for (let round = 0; round < 3; round += 1) {
      await claimIn(orgs);
      await asVersion01(orgs);
      expect(store.upgrade.isUnderWay).toBe(true);
      expect(await store.upgrade.look()).toBe(true);
      expect(await redis.client.zcard('soleseat:due')).toBe(orgs.length);
    }
    await asVersion01(orgs);
    await redis.client.zrem(keys.nodes, 'old');
    expect(await store.upgrade.look()).toBe(true);
    expect(await redis.client.zcard('soleseat:due')).toBe(orgs.length);
    expect(store.upgrade.isUnderWay).toBe(false);
    expect(await store.upgrade.look()).toBe(false);
  });

  it('has been taken care of where another node of this version is there', async () => {
    const other = storeOn(redis.client, { nodeId: 'n2' });
    await other.redisClock.ask(redis.client);
    await other.nodes.beat(report);
    expect(await store.upgrade.look()).toBe(false);
    expect(store.upgrade.isUnderWay).toBe(false);
  });

  it('that an old node changed meanwhile is counted by the difference', async () => {
    await claimIn(orgs);
    // An old node takes sessions out, and in, without a word to the totals.
    for (const org of orgs.slice(0, 10)) await redis.client.zrem(keys.active(org), 'ann');
    for (const org of orgs.slice(10, 13)) await redis.client.zadd(keys.active(org), 9e15, 'bob');
    expect((await store.totals.read()).active).toBe(orgs.length);
    await oldNode();
    await store.upgrade.look();
    await sweep(store);
    expect((await store.totals.read()).active).toBe(orgs.length - 10 + 3);
  });
});
