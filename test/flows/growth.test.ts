import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Broker } from '../../src/broker.js';
import { keyNames } from '../../src/store/keys.js';
import { Crowd } from '../support/crowd.js';
import { eventually } from '../support/eventually.js';
import { startNode } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { useRedis } from '../support/redis.js';
import { issueTo, leaseFrom, ORG, requestFor, storeOn } from '../support/store.js';

const MEASURED_MS = 4_000;
const keys = keyNames('soleseat:');
const redis = useRedis();

async function nodeFor(more: Record<string, string> = {}): Promise<Broker> {
  await redis.client.flushall();
  const node = await startNode(redis.url, more);
  onTestFinished(() => node.stop());
  // At its start a node looks at all orgs: it must not owe to that what it sees later.
  await eventually(() => !node.store.upgrade.isUnderWay);
  return node;
}

/** Somebody came and went in each of the orgs: the node has served them all. */
async function visitAll(node: Broker, orgs: readonly string[]): Promise<void> {
  for (let from = 0; from < orgs.length; from += 50) {
    const some = orgs.slice(from, from + 50).map(async (org) => {
      const request = { ...requestFor('ann', { id: 'desk' }), org };
      const answer = await node.store.leases.claim(request);
      await node.store.leases.release({ ...leaseFrom(request, answer), org });
    });
    await Promise.all(some);
  }
  // What remains is when their events are to go.
  const soon = async () => redis.client.zcount('soleseat:due', '-inf', Date.now() + 60_000);
  await eventually(async () => (await soon()) === 0);
}

/** Commands a second that Redis carries out, those within scripts too. */
async function commandsPerSecond(): Promise<number> {
  await redis.client.config('RESETSTAT');
  const startMs = performance.now();
  await pause(MEASURED_MS);
  const info = await redis.client.info('commandstats');
  const calls = [...info.matchAll(/cmdstat_[^:]+:calls=(\d+)/g)].map(([, one]) => Number(one));
  return calls.reduce((sum, one) => sum + one, 0) / ((performance.now() - startMs) / 1000);
}

describe('an idle org', () => {
  it('costs nothing: a thousand ask of Redis at most twice what ten do', async () => {
    // As often, one to the other, as with the default settings.
    const times = { SOLESEAT_METRICS_EVERY_MS: '1000', SOLESEAT_RENEW_EVERY_MS: '1000' };
    const node = await nodeFor({ ...times, SOLESEAT_LEASE_TTL_MS: '6000', SOLESEAT_METRICS_ORGS: '10' });
    await visitAll(
      node,
      Array.from({ length: 10 }, (_, i) => `org-${i}`),
    );
    const ten = await commandsPerSecond();
    await visitAll(
      node,
      Array.from({ length: 990 }, (_, i) => `org-${10 + i}`),
    );
    const thousand = await commandsPerSecond();
    expect(thousand).toBeLessThanOrEqual(2 * ten);
    // What a node does for itself, and nothing beyond.
    expect(ten).toBeLessThan(100);
  });
});

describe('what comes to pass with nobody connected', () => {
  it('is seen by a node that never heard of the org: a license ends on time', async () => {
    const store = storeOn(redis.client, { nodeId: 'n2' });
    await nodeFor();
    const endMs = Date.now() + 1_000;
    await store.orgs.enter(ORG);
    await issueTo(store, 'ann', { expiresAt: endMs });
    await eventually(async () => (await store.licenses.get(ORG, 'ann'))?.status === 'expired');
    expect(Date.now()).toBeGreaterThanOrEqual(endMs);
    expect(await redis.client.hget(keys.counters(ORG), 'expired')).toBe('1');
  });

  it('is seen in every one of many orgs: what a killed node left is out of the counts (promise 7)', async () => {
    const orgs = Array.from({ length: 100 }, (_, i) => `org-${i}`);
    const { store } = await nodeFor();
    const doomed = await NodeProcess.start(redis.url);
    onTestFinished(() => doomed.kill());
    await Crowd.seat([doomed.ports.public], orgs, 1);
    expect((await store.totals.read()).active).toBe(orgs.length);
    await doomed.kill();
    const ends = await Promise.all(
      orgs.map(async (org) =>
        Number((await redis.client.zrange(keys.active(org), '0', '0', 'WITHSCORES'))[1]),
      ),
    );
    await eventually(async () => (await store.totals.read()).active === 0);
    // A second beyond the TTL is the promise; the machine of a test may be slow to look.
    expect(Date.now() - Math.max(...ends)).toBeLessThan(3_000);
    const left = await Promise.all(orgs.map((org) => redis.client.zcard(keys.active(org))));
    expect(left.reduce((sum, one) => sum + one, 0)).toBe(0);
    expect(await store.totals.check(false)).toEqual([]);
  });

  it('is seen after FLUSHALL too, in an org whose sessions are put back', async () => {
    const node = await nodeFor();
    const store = storeOn(redis.client, { nodeId: 'n2', leaseTtlMs: 3_000 });
    const request = requestFor('ann', { id: 'desk' });
    const lease = leaseFrom(request, await store.leases.claim(request));
    await redis.client.flushall();
    await store.leases.renew(ORG, [lease]);
    await eventually(async () => (await node.store.totals.read()).active === 1);
    await eventually(async () => (await node.store.totals.read()).active === 0);
    expect(await redis.client.hget(keys.counters(ORG), 'ended:expired')).toBe('1');
  });
});
