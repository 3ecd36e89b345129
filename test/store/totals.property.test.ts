import { once } from 'node:events';
import fc from 'fast-check';
import { Cluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RedisTopology } from '../../src/embedded/redis-topology.js';
import { recount } from '../../src/license/recount.js';
import { type KeyNames, keyNames } from '../../src/store/keys.js';
import type { HeldLease } from '../../src/store/lease-types.js';
import type { RedisConnection } from '../../src/store/redis.js';
import { tagOf } from '../../src/store/slots.js';
import type { Store } from '../../src/store/store.js';
import { useRedis } from '../support/redis.js';
import { ask, mastersOf, testCluster } from '../support/redis-topology.js';
import { leaseFrom, requestFor, storeOn } from '../support/store.js';

const ORGS = ['acme', 'hooli', 'stark'] as const;
const USERS = ['ann', 'bob', 'cleo'] as const;
const ACTOR = 'root';

const operation = fc.record({
  type: fc.constantFrom(
    ...(['claim', 'claim', 'claim', 'release', 'renew', 'run out', 'sweep', 'sweep', 'evict'] as const),
    ...([
      'issue',
      'issue',
      'revoke',
      'suspend',
      'reinstate',
      'transfer',
      'expiry',
      'import',
      'undo',
    ] as const),
    ...(['quota', 'mode', 'spoil', 'repair', 'old node', 'lose all of an org'] as const),
  ),
  org: fc.constantFrom(...ORGS),
  user: fc.constantFrom(...USERS),
  machine: fc.constantFrom('desk', 'lap'),
  number: fc.nat({ max: 4 }),
});
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** Several orgs in one Redis, on which two nodes work. */
class Scene {
  readonly #stores: readonly [Store, Store];
  readonly #keys: KeyNames;
  readonly #held: HeldLease[] = [];
  #ids = 0;

  constructor(private readonly redis: RedisConnection) {
    this.#keys = keyNames('soleseat:', redis.isCluster);
    const more = { licenseMode: 'auto' };
    this.#stores = [storeOn(redis, more), storeOn(redis, { ...more, nodeId: 'n2' })];
  }

  /** As the routes do with the first license, and the nodes with the first claim. */
  async begin(): Promise<void> {
    await this.#stores[0].nodes.enter(ORGS);
  }

  async perform({ type, org, user, machine, number }: Operation, node: number): Promise<unknown> {
    const store = this.#stores[node % 2] ?? this.#stores[0];
    const { redis } = this;
    const keys = this.#keys;
    const order = { org, user, actor: ACTOR };
    const id = `x${this.#ids++}`;
    const held = this.#held.findLast((one) => one.org === org && one.user === user);
    switch (type) {
      case 'claim': {
        const request = { ...requestFor(user, { id: machine }), org };
        const answer = await store.leases.claim(request);
        if (answer.outcome === 'granted') this.#held.push({ ...leaseFrom(request, answer), org });
        return;
      }
      case 'release':
        return held && store.leases.release(held);
      case 'renew':
        return held && store.leases.renew(org, [held]);
      case 'run out':
        await redis.del(keys.lease(org, user));
        return redis.zadd(keys.active(org), 'XX', 1, user);
      case 'sweep':
        await redis.del(keys.sweepTurn);
        await store.nodes.announce([org]);
        return store.sweeper.sweep(1);
      case 'evict':
        return store.leases.evict({ ...order, reason: 'evicted_by_admin' });
      case 'issue': {
        const expiresAt = number === 0 ? { expiresAt: Date.now() + 3_600_000 } : {};
        return store.licenses.issue({ ...order, id, requestId: id, ...expiresAt });
      }
      case 'revoke':
      case 'suspend':
      case 'reinstate':
        return store.licenses[type](order);
      case 'transfer': {
        const to = USERS[number % USERS.length] ?? 'ann';
        return to !== user && store.licenses.transfer({ ...order, to });
      }
      case 'expiry': {
        const expiresAt = [1, Date.now() + 3_600_000, null][number % 3] ?? null;
        return store.licenses.setExpiry({ ...order, expiresAt });
      }
      case 'import':
        await store.imports.begin(org, 'i1', ACTOR);
        return store.licenses.issue({ ...order, id, requestId: id, importId: 'i1' });
      case 'undo':
        return store.imports.undo(org, 'i1', ACTOR);
      case 'quota':
        return store.orgs.change(org, { quota: number === 4 ? null : number }, ACTOR);
      case 'mode':
        return store.orgs.change(org, { licenseMode: number === 0 ? 'required' : 'auto' }, ACTOR);
      case 'spoil':
        // What a recount is there for. The totals believe it until somebody looks.
        await redis.hincrby(keys.counters(org), 'issued', number);
        return recount(store, org, { repairBy: ACTOR });
      case 'repair':
        return recount(store, org, { repairBy: ACTOR });
      case 'old node':
        // Takes a session out without a word to the totals; the next look finds out.
        await redis.zrem(keys.active(org), user);
        await redis.del(keys.lease(org, user));
        await redis.hdel(keys.held(org), user);
        await redis.del(keys.sweepTurn);
        await store.nodes.announce([org]);
        await store.sweeper.sweep(1);
        return recount(store, org, { repairBy: ACTOR });
      case 'lose all of an org':
        // As after a failover of its master: the org's part of the totals is in the same slot.
        return this.#lose(org);
    }
  }

  async #lose(org: string): Promise<void> {
    if (!this.redis.isCluster) return;
    const { due, totals, shares } = this.#keys.indexOf(org);
    await this.redis.del(due, totals, shares, ...this.#keysOf(org));
  }

  #keysOf(org: string): string[] {
    const keys = this.#keys;
    const shared = [keys.epoch, keys.active, keys.licensed, keys.counters, keys.events, keys.settings];
    const more = [keys.used, keys.expiring, keys.revoked, keys.imports, keys.reign, keys.held];
    const ofUsers = USERS.flatMap((user) => [keys.lease(org, user), keys.license(org, user)]);
    return [...[...shared, ...more].map((name) => name.call(keys, org)), ...ofUsers];
  }

  /** The totals equal the sum over the orgs, each org is due in time, and its share of the quota is right. */
  async check(): Promise<void> {
    const { redis } = this;
    const keys = this.#keys;
    const [store] = this.#stores;
    const sums = { active: 0, issued: 0, quota: 0, limited: 0, peak: 0, takeovers: 0 };
    for (const org of ORGS) {
      const [counts, settings] = await Promise.all([store.orgs.counts(org), store.orgs.settings(org)]);
      sums.active += counts.active;
      sums.issued += counts.issued;
      sums.quota += settings.quota ?? 0;
      sums.limited += settings.quota === null ? 0 : 1;
      sums.peak += counts.peak;
      sums.takeovers += counts.takeovers;
      await this.#checkDue(org);
      const share = await redis.zscore(keys.indexOf(org).shares, org);
      const isLimited = settings.quota !== null && settings.quota > 0;
      expect(share === null ? null : Number(share)).toBe(
        isLimited ? counts.issued / (settings.quota ?? 1) : null,
      );
    }
    expect(await store.totals.read()).toMatchObject(sums);
    expect(await store.totals.check(false)).toEqual([]);
  }

  /** Nothing of the org can come to pass without somebody looking at that time. */
  async #checkDue(org: string): Promise<void> {
    const { redis } = this;
    const keys = this.#keys;
    const firstIn = async (key: string) =>
      Number((await redis.zrange(key, '0', '0', 'WITHSCORES'))[1] ?? Infinity);
    const [active, expiring, imports, due] = await Promise.all([
      firstIn(keys.active(org)),
      firstIn(keys.expiring(org)),
      redis.hlen(keys.imports(org)),
      redis.zscore(keys.indexOf(org).due, org),
    ]);
    // A score of 1 stands for a lease that has run out, of which no script was told.
    const needed = [
      active === 1 ? Infinity : active,
      expiring,
      imports > 0 ? Date.now() + 120_000 : Infinity,
    ];
    const first = Math.min(...needed);
    if (first < Infinity) expect(Number(due ?? Infinity), `${org} is due`).toBeLessThanOrEqual(first);
  }
}

async function holds(connect: () => RedisConnection, empty: () => Promise<unknown>, numRuns: number) {
  const step = fc.array(fc.record({ node: fc.nat({ max: 1 }), operation }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12, size: 'max' }), async (steps) => {
      await empty();
      const scene = new Scene(connect());
      await scene.begin();
      for (const atOnce of steps) {
        await Promise.all(atOnce.map((one) => scene.perform(one.operation, one.node)));
        await scene.check();
      }
    }),
    { numRuns },
  );
}

describe('the totals over all orgs, and what is due next (promises 7 and 9)', () => {
  describe('on one server', () => {
    const redis = useRedis();

    it('equal the orgs, whatever several nodes do at once', async () => {
      await holds(
        () => redis.client,
        () => redis.client.flushall(),
        40,
      );
    });

    it('that went astray are found and put right, also while sessions come and go', async () => {
      await redis.client.flushall();
      const store = storeOn(redis.client);
      const claim = (user: string) =>
        store.leases.claim({ ...requestFor(user, { id: 'desk' }), org: 'acme' });
      await claim('ann');
      await redis.client.hincrby('soleseat:totals', 'active', 7);
      await redis.client.hincrby('soleseat:totals', 'issued', -2);
      const astray = [
        { total: 'active', stored: 8, counted: 1 },
        { total: 'issued', stored: -2, counted: 0 },
      ];
      expect(await store.totals.check(false)).toEqual(astray);
      const coming = Promise.all(Array.from({ length: 200 }, (_, i) => claim(`user-${i}`)));
      expect((await store.totals.check(true)).length).toBeGreaterThan(0);
      await coming;
      expect(await store.totals.check(false)).toEqual([]);
      expect(await store.totals.read()).toMatchObject({ orgs: 1, active: 201, issued: 0 });
    });
  });

  describe('in a cluster', () => {
    let redis: RedisTopology;
    let client: Cluster;
    beforeAll(async () => {
      redis = await testCluster();
      client = new Cluster(redis.servers.map(({ port }) => ({ host: '127.0.0.1', port })));
      await once(client, 'ready');
    });
    afterAll(async () => {
      client.disconnect();
      await redis.stop();
    });
    const empty = () =>
      Promise.all(client.nodes('master').map(({ options }) => ask(options.port ?? 0, 'FLUSHALL')));

    it('equal the orgs, slot by slot, also where a master lost one', async () => {
      await holds(() => client, empty, 10);
    });

    it('lie in the slot of the org, by a tag that every node finds', async () => {
      const keys = keyNames('soleseat:', true);
      for (const org of [...ORGS, 'Ünïcode Ltd', 'a:b', '*']) {
        const index = Object.values(keys.indexOf(org));
        const slots = await Promise.all(
          [keys.active(org), ...index].map((key) => client.cluster('KEYSLOT', key)),
        );
        expect(new Set(slots)).toEqual(new Set([keys.slotOf(org)]));
      }
      expect(
        new Set(
          await mastersOf(
            redis,
            ORGS.map((org) => keys.active(org)),
          ),
        ).size,
      ).toBeGreaterThan(1);
      // Names of keys that nodes of other versions must find.
      expect([tagOf(0), tagOf(1), tagOf(16_383)]).toEqual(['1bz', 'emj', 'hia']);
    });

    it('are found again though the list of the slots in use is lost', async () => {
      await empty();
      const store = storeOn(client);
      await store.leases.claim({ ...requestFor('ann', { id: 'desk' }), org: 'acme' });
      expect((await store.totals.read()).active).toBe(1);
      await client.del('soleseat:slots');
      expect((await store.totals.read()).active).toBe(1);
      expect(await client.scard('soleseat:slots')).toBe(1);
    });
  });
});
