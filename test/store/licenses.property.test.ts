import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recount } from '../../src/license/recount.js';
import { keyNames } from '../../src/store/keys.js';
import type { HeldLease } from '../../src/store/lease-types.js';
import { parseLease } from '../../src/store/replies.js';
import type { Store } from '../../src/store/store.js';
import { useRedis } from '../support/redis.js';
import { issueTo, leaseFrom, ORG, orderFor, requestFor, storeOn } from '../support/store.js';

const USERS = ['ann', 'bob', 'cleo', 'dan', 'eve'] as const;
const NODES = ['n1', 'n2', 'n3'] as const;
const keys = keyNames('soleseat:');

const user = fc.constantFrom(...USERS);
const operation = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('issue' as const), user, expires: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('claim' as const),
      user,
      machine: fc.constantFrom('desk', 'lap', 'den'),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constantFrom(
        'release' as const,
        'suspend' as const,
        'reinstate' as const,
        'revoke' as const,
        'evict' as const,
        'renew' as const,
      ),
      user,
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('transfer' as const), user, to: user }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('expiry' as const),
      user,
      to: fc.constantFrom('past', 'future', 'none'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constantFrom('lease runs out' as const, 'import' as const), user }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('sweep' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('quota' as const), quota: fc.nat({ max: 5 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('mode' as const), mode: fc.constantFrom('auto', 'required') }),
  },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;
/** What several nodes do at the same time. */
const step = fc.array(fc.record({ node: fc.nat({ max: NODES.length - 1 }), operation }), {
  minLength: 1,
  maxLength: 4,
});

const redis = useRedis();
const connections: Redis[] = [];
let nodes: Store[] = [];
let grants: HeldLease[] = [];

beforeAll(async () => {
  for (const _ of NODES) connections.push(new Redis(redis.url));
});
afterAll(() => {
  for (const connection of connections) connection.disconnect();
});

async function perform(store: Store, one: Operation): Promise<void> {
  const order = orderFor;
  switch (one.type) {
    case 'issue': {
      const expiresAt = one.expires ? { expiresAt: Date.now() + 3_600_000 } : {};
      await issueTo(store, one.user, expiresAt);
      return;
    }
    case 'import': {
      const importId = 'i1';
      await store.imports.begin(ORG, importId, 'root');
      const { outcome } = await issueTo(store, one.user, { importId });
      if (outcome === 'done') await store.licenses.unissue({ ...order(one.user), importId });
      return;
    }
    case 'suspend':
    case 'reinstate':
    case 'revoke':
      await store.licenses[one.type](order(one.user));
      return;
    case 'transfer':
      if (one.to !== one.user) await store.licenses.transfer({ ...order(one.user), to: one.to });
      return;
    case 'expiry': {
      const expiresAt = { past: 1, future: Date.now() + 3_600_000, none: null }[one.to] ?? null;
      await store.licenses.setExpiry({ ...order(one.user), expiresAt });
      return;
    }
    case 'evict':
      await store.leases.evict({ ...order(one.user), reason: 'evicted_by_admin' });
      return;
    case 'claim':
      return claim(store, one.user, one.machine);
    case 'release':
    case 'renew': {
      const held = grants.findLast((grant) => grant.user === one.user);
      if (held === undefined) return;
      if (one.type === 'release') await store.leases.release(held);
      else await store.leases.renew(ORG, [held]);
      return;
    }
    case 'lease runs out':
      await redis.client.pexpire(keys.lease(ORG, one.user), 0);
      return;
    case 'sweep':
      return sweep(store);
    case 'quota':
      await store.orgs.change(ORG, { quota: one.quota }, 'root');
      return;
    case 'mode':
      await store.orgs.change(ORG, { licenseMode: one.mode === 'auto' ? 'auto' : 'required' }, 'root');
  }
}

async function claim(store: Store, name: string, id: string): Promise<void> {
  const request = requestFor(name, { id });
  const answer = await store.leases.claim(request);
  if (answer.outcome === 'granted') grants.push(leaseFrom(request, answer));
}

/** As if every entry were due: the sweep looks at the leases themselves. */
async function sweep(store: Store): Promise<void> {
  const dead = [];
  for (const name of await redis.client.zrange(keys.active(ORG), '0', '-1')) {
    if ((await redis.client.exists(keys.lease(ORG, name))) === 0) dead.push(1, name);
  }
  if (dead.length > 0) await redis.client.zadd(keys.active(ORG), 'XX', ...dead);
  await redis.client.del(keys.sweepTurn);
  await store.nodes.announce([ORG]);
  await store.sweeper.sweep(1);
}

async function check(store: Store): Promise<void> {
  expect((await recount(store, ORG, { repairBy: null })).differences).toEqual([]);
  const { issued } = await store.orgs.counts(ORG);
  const { quota } = await store.orgs.settings(ORG);
  if (quota !== null) expect(issued).toBeLessThanOrEqual(quota);
  for (const name of USERS) {
    const lease = parseLease((await redis.client.get(keys.lease(ORG, name))) ?? '');
    const license = await store.licenses.get(ORG, name);
    // Both modes need a license that stands and is active.
    if (lease !== null) expect(license?.status, `${name} holds the seat`).toBe('active');
    const isIssued = (await redis.client.zscore(keys.licensed(ORG), name)) !== null;
    expect(isIssued).toBe(license !== null && license.status !== 'revoked');
    expect((await redis.client.zscore(keys.revoked(ORG), name)) !== null).toBe(license?.status === 'revoked');
    if (lease !== null) expect(await redis.client.zscore(keys.active(ORG), name)).not.toBeNull();
  }
}

describe('licenses and sessions', () => {
  it('keep their counts, quota and rights, whatever several nodes do at once (promise 9)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20, size: 'max' }), async (steps) => {
        await redis.client.flushall();
        grants = [];
        nodes = connections.map((connection, index) =>
          storeOn(connection, { nodeId: NODES[index] ?? 'n', licenseMode: 'required' }),
        );
        const [first] = nodes;
        if (first === undefined) throw new Error('no node');
        await first.orgs.change(ORG, { quota: 3 }, 'root');
        for (const atOnce of steps) {
          await Promise.all(atOnce.map((one) => perform(nodes[one.node] ?? first, one.operation)));
          await check(first);
        }
      }),
      { numRuns: 60 },
    );
  });
});
