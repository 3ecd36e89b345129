import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { useRedis } from '../support/redis.js';
import { claimFor, storeOn } from '../support/store.js';

const ORGS = 1_000;
const USERS = 2;
const redis = useRedis();

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);

describe('promise 7: a sweep of a thousand orgs by five nodes at once', () => {
  const stores = Array.from({ length: 5 }, (_, i) => () => storeOn(redis.client, { nodeId: `n${i}` }));
  const orgs = Array.from({ length: ORGS }, (_, i) => `org-${i}`);

  it('counts each expiry once, with one event each', async () => {
    const brief = storeOn(redis.client, { leaseTtlMs: 100 });
    const claims = orgs.flatMap((org) =>
      Array.from({ length: USERS }, (_, i) => {
        const id = `${org}-${i}`;
        const machine = { id: 'pc' };
        const machineText = JSON.stringify(machine);
        const ids = { requestId: id, sessionId: id, licenseId: id, connection: id };
        return brief.leases.claim({
          ...ids,
          org,
          user: `user-${i}`,
          machine,
          machineText,
          onConflict: 'deny',
        });
      }),
    );
    await Promise.all(claims);
    await eventually(
      async () => (await redis.client.exists(`soleseat:{org-${ORGS - 1}}:lease:user-1`)) === 0,
    );
    const sweepers = stores.map((open) => open().sweeper);
    let swept = 0;
    await eventually(async () => {
      // Each takes a turn of its own, as when they do not know of each other.
      await redis.client.del('soleseat:sweep-turn');
      swept += sum(await Promise.all(sweepers.map((one) => one.sweep(1))));
      return swept >= ORGS * USERS;
    });
    expect(swept).toBe(ORGS * USERS);
    const counted = await Promise.all(
      orgs.map((org) => redis.client.hget(`soleseat:{${org}}:counters`, 'ended:expired')),
    );
    expect(new Set(counted)).toEqual(new Set([String(USERS)]));
    const events = await Promise.all(orgs.map((org) => redis.client.xlen(`soleseat:{${org}}:events`)));
    expect(new Set(events)).toEqual(new Set([2 * USERS]));
  });

  it('finds a lease that ends before all that it has seen, as of a node with a shorter TTL', async () => {
    const { sweeper } = storeOn(redis.client, { nodeId: 'n9' });
    const sweepNow = async () => {
      await redis.client.del('soleseat:sweep-turn');
      return sweeper.sweep(1);
    };
    await claimFor(storeOn(redis.client, { leaseTtlMs: 3_600_000 }), 'long');
    expect(await sweepNow()).toBe(0);
    await claimFor(storeOn(redis.client, { leaseTtlMs: 100 }), 'short');
    await eventually(async () => (await redis.client.exists('soleseat:{acme}:lease:short')) === 0);
    expect(await sweepNow()).toBe(1);
  });

  it('goes on though Redis’s clock went back and the turn would not end for an hour', async () => {
    await redis.client.set('soleseat:sweep-turn', 'n0', 'PX', 3_600_000);
    const store = storeOn(redis.client, { nodeId: 'n8' });
    await redis.client.zadd('soleseat:{org-7}:active', 1, 'stray');
    await store.nodes.announce(['org-7']);
    expect(await store.sweeper.sweep(500)).toBe(1);
  });
});
