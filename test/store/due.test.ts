import { beforeEach, describe, expect, it } from 'vitest';
import { keyNames } from '../../src/store/keys.js';
import type { Store } from '../../src/store/store.js';
import { eventually } from '../support/eventually.js';
import { useRedis } from '../support/redis.js';
import { claimFor, issueTo, leaseFrom, ORG, orderFor, requestFor, storeOn } from '../support/store.js';

/** Of storeOn. */
const KEPT_MS = 86_400_000;
const MINUTE_MS = 60_000;
const keys = keyNames('soleseat:');
const redis = useRedis();
let store: Store;

beforeEach(async () => {
  await redis.client.flushall();
  store = storeOn(redis.client);
});

/** When somebody must look at the org; null: there is nothing to look at. */
async function dueAt(org = ORG): Promise<number | null> {
  const score = await redis.client.zscore('soleseat:due', org);
  return score === null ? null : Number(score);
}

async function redisNow(): Promise<number> {
  const [seconds, microseconds] = await redis.client.time();
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}

/** Sweeps as a node whose turn it is. */
async function sweep(by = store): Promise<number> {
  await redis.client.del(keys.sweepTurn);
  return by.sweeper.sweep(1);
}

it('an org is named with its first claim, also where the node knows it from a license', async () => {
  await issueTo(store, 'ann');
  await claimFor(store, 'ann');
  await eventually(() => store.orgs.exists(ORG));
  expect(await store.totals.check(false)).toEqual([]);
});

describe('an org is due', () => {
  it('when a lease ends that nobody renews, however many orgs there are (promise 7)', async () => {
    await claimFor(storeOn(redis.client, { leaseTtlMs: 700 }), 'ann');
    const claimedMs = await redisNow();
    expect(await dueAt()).toBeLessThanOrEqual(claimedMs + 700);
    await eventually(async () => (await sweep()) === 1);
    expect((await redisNow()) - claimedMs).toBeGreaterThanOrEqual(650);
    expect(await redis.client.zcard(keys.active(ORG))).toBe(0);
  });

  it('once nothing is left to look at, when its oldest event is to go', async () => {
    const request = requestFor('ann', { id: 'desk' });
    const answer = await store.leases.claim(request);
    await store.leases.release(leaseFrom(request, answer));
    await store.nodes.announce([ORG]);
    await sweep();
    const [oldest] = await redis.client.xrange(keys.events(ORG), '-', '+', 'COUNT', 1);
    const goesMs = Number(oldest?.[0].split('-')[0]) + KEPT_MS;
    const due = (await dueAt()) ?? 0;
    expect(due).toBeGreaterThan(goesMs);
    expect(due).toBeLessThanOrEqual(goesMs + 3_600_000);
    // Nor then, if it is gone.
    await redis.client.del(keys.events(ORG));
    await redis.client.zadd('soleseat:due', await redisNow(), ORG);
    await sweep();
    expect(await dueAt()).toBeNull();
  });

  it('each minute while a session is active, and then counts its time in the hour (promise 9)', async () => {
    await claimFor(storeOn(redis.client, { leaseTtlMs: 600_000 }), 'ann');
    const nextMinute = (Math.floor((await redisNow()) / MINUTE_MS) + 1) * MINUTE_MS;
    expect(await dueAt()).toBeLessThanOrEqual(nextMinute);
    // As if that minute had begun.
    await redis.client.hincrby(keys.counters(ORG), 'seatAt', -MINUTE_MS);
    await redis.client.zadd('soleseat:due', await redisNow(), ORG);
    await sweep();
    const [row] = await store.usage.hours(ORG, [await redisNow()]);
    expect(row?.seatMs).toBeGreaterThanOrEqual(MINUTE_MS);
    expect(row?.peak).toBe(1);
    const again = await dueAt();
    expect((again ?? 1) % MINUTE_MS).toBe(0);
    expect(again).toBeGreaterThan(await redisNow());
  });

  it('when a license ends, also one that was moved, or issued by transfer', async () => {
    const endMs = (await redisNow()) + 500;
    await issueTo(store, 'ann', { expiresAt: endMs + MINUTE_MS });
    expect(await dueAt()).toBe(endMs + MINUTE_MS);
    await store.licenses.setExpiry({ ...orderFor('ann'), expiresAt: endMs });
    expect(await dueAt()).toBe(endMs);
    await store.licenses.transfer({ ...orderFor('ann'), to: 'bob' });
    await eventually(async () => {
      await sweep();
      return (await store.licenses.get(ORG, 'bob'))?.status === 'expired';
    });
    expect(await dueAt()).toBeNull();
  });

  it('when the node of an import falls silent, and not before', async () => {
    const brief = storeOn(redis.client, { leaseTtlMs: 2_000 });
    await brief.imports.begin(ORG, 'i1', 'root');
    await issueTo(store, 'ann', { importId: 'i1' });
    await sweep(brief);
    expect(await redis.client.hexists(keys.imports(ORG), 'i1')).toBe(1);
    await eventually(async () => {
      await sweep(brief);
      return (await redis.client.exists(keys.imports(ORG))) === 0;
    });
    expect(await store.licenses.get(ORG, 'ann')).toBeNull();
    await eventually(async () => {
      await sweep(brief);
      return (await dueAt()) === null;
    });
  });

  it('again by the claim that comes while somebody looks: the later time never wins', async () => {
    await claimFor(storeOn(redis.client, { leaseTtlMs: 600_000 }), 'ann');
    for (let round = 0; round < 50; round += 1) {
      const brief = storeOn(redis.client, { leaseTtlMs: 1_000 });
      await Promise.all([store.nodes.announce([ORG]), sweep(), claimFor(brief, 'bob', { id: `pc${round}` })]);
      expect(await dueAt()).toBeLessThanOrEqual((await redisNow()) + 1_000);
    }
  });
});

describe('what Redis lost is due again', () => {
  it('by the re-assertion, after FLUSHALL; and the totals begin anew with it (promise 8)', async () => {
    const request = requestFor('ann', { id: 'desk' });
    const lease = leaseFrom(request, await store.leases.claim(request));
    await redis.client.flushall();
    expect(await store.leases.renew(ORG, [lease])).toMatchObject([{ outcome: 'reasserted' }]);
    expect(await dueAt()).toBeGreaterThan(await redisNow());
    expect(await store.totals.read()).toMatchObject({ orgs: 1, active: 1, peak: 1 });
  });

  it('by a renewal, where the index is lost, or lies ahead since Redis’s clock was set back', async () => {
    const request = requestFor('ann', { id: 'desk' });
    const lease = leaseFrom(request, await store.leases.claim(request));
    for (const spoil of [
      () => redis.client.del('soleseat:due'),
      async () => redis.client.zadd('soleseat:due', (await redisNow()) + 3_600_000, ORG),
    ]) {
      await spoil();
      expect(await store.leases.renew(ORG, [lease])).toMatchObject([{ outcome: 'kept' }]);
      expect(await dueAt()).toBeLessThanOrEqual((await redisNow()) + MINUTE_MS);
    }
  });
});

describe('a sweep', () => {
  it('of orgs with a broken record ends what is due in all others, and tries those again', async () => {
    const brief = storeOn(redis.client, { leaseTtlMs: 100 });
    const orgs = Array.from({ length: 120 }, (_, i) => `org-${String(i).padStart(3, '0')}`);
    const broken = orgs.slice(0, 60);
    await Promise.all(
      orgs.map((org) =>
        brief.leases.claim({ ...requestFor('ann', { id: 'desk' }), org, onConflict: 'deny' }),
      ),
    );
    for (const org of broken) await redis.client.set(keys.counters(org), 'no hash');
    await redis.client.zadd('soleseat:due', ...broken.flatMap((org) => [1, org]));
    let swept = 0;
    await eventually(async () => {
      await redis.client.del(keys.sweepTurn);
      swept += await store.sweeper.sweep(1).catch(() => 0);
      const left = await Promise.all(orgs.slice(60).map((org) => redis.client.zcard(keys.active(org))));
      return left.every((count) => count === 0);
    });
    const soon = async () => redis.client.zcount('soleseat:due', '-inf', (await redisNow()) + MINUTE_MS);
    expect(await soon()).toBe(broken.length);
    for (const org of broken) await redis.client.del(keys.counters(org));
    await eventually(async () => {
      swept += await sweep();
      return swept >= broken.length && (await soon()) === 0;
    });
  });

  it('that finds nothing due asks the same of Redis for a thousand orgs as for none', async () => {
    const commandsOfSweep = async () => {
      await redis.client.config('RESETSTAT');
      await sweep();
      const info = await redis.client.info('commandstats');
      return [...info.matchAll(/cmdstat_(\S+?):calls=(\d+)/g)]
        .filter(([, name]) => !/^(config|info|script)/.test(name ?? ''))
        .reduce((sum, [, , calls]) => sum + Number(calls), 0);
    };
    await sweep();
    const none = await commandsOfSweep();
    const orgs = Array.from({ length: 1_000 }, (_, i) => `org-${i}`);
    await store.nodes.enter(orgs);
    await Promise.all(orgs.map((org) => store.orgs.change(org, { quota: 5 }, 'root')));
    expect(await commandsOfSweep()).toBe(none);
  });
});
