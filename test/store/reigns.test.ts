import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Setback } from '../../src/store/horizon.js';
import { keyNames } from '../../src/store/keys.js';
import type { ClaimRequest, HeldLease, LeaseConfig } from '../../src/store/lease-types.js';
import type { Store } from '../../src/store/store.js';
import { ForgetfulRedis } from '../support/failover.js';
import { leaseFrom, ORG, raisedBy, requestFor, storeOn } from '../support/store.js';

const keys = keyNames('soleseat:');
let redis: ForgetfulRedis;

beforeAll(async () => {
  redis = await ForgetfulRedis.start();
});
beforeEach(() => redis.flush());
afterAll(() => redis.stop());

const nodeOf = (nodeId: string, more: Partial<LeaseConfig> = {}) =>
  storeOn(redis.client, { nodeId, ...more });

async function hold(node: Store, machine: string, more: Partial<ClaimRequest> = {}): Promise<HeldLease> {
  const request = requestFor('ann', { id: machine }, more);
  return leaseFrom(request, await node.leases.claim(request));
}

async function renew(node: Store, lease: HeldLease) {
  const [answer] = await node.leases.renew(ORG, [lease]);
  return { answer, lease: raisedBy(lease, answer) };
}

describe('promise 8: a reign', () => {
  it('begins above every clock and every epoch seen so far, and then counts on', async () => {
    const before = await hold(nodeOf('n1'), 'desk');
    await redis.newReign();
    const first = await hold(nodeOf('n2'), 'lap');
    expect(first.epoch).toBeGreaterThanOrEqual(before.epoch + 1_000_000);
    expect((await hold(nodeOf('n2'), 'den')).epoch).toBe(first.epoch + 1);
  });

  it('begins above what others were given since the node has last seen an epoch', async () => {
    const [one, other] = [nodeOf('n1'), nodeOf('n2')];
    const first = await hold(one, 'desk');
    // As after a server whose clock was days ahead: only epochs tell how far they have got.
    await redis.client.set(keys.epoch(ORG), String(first.epoch + 10 * 86_400_000_000));
    await hold(one, 'desk');
    const unseen = [await hold(other, 'lap'), await hold(other, 'den'), await hold(other, 'lap')];
    await redis.flush();
    expect((await hold(one, 'desk')).epoch).toBeGreaterThan(unseen.at(-1)?.epoch ?? 0);
  });

  it('does not begin while nothing happened to Redis', async () => {
    const node = nodeOf('n1');
    const lease = await hold(node, 'desk');
    const reign = await redis.client.get(keys.reign(ORG));
    expect((await renew(node, lease)).answer).toEqual({ outcome: 'kept', raised: null });
    await hold(node, 'lap');
    expect(await redis.client.get(keys.reign(ORG))).toBe(reign);
  });

  it('gives what is held a new epoch with its next renewal: nobody stays below a fence', async () => {
    const [laptops, towers] = [nodeOf('n1'), nodeOf('n2')];
    const laptop = await hold(laptops, 'laptop');
    await redis.keepCopy();
    // A fenced service has accepted this epoch; the takeover and its end are lost.
    const tower = await hold(towers, 'tower');
    await towers.leases.release(tower);
    await redis.failOver();
    const { answer, lease } = await renew(laptops, laptop);
    expect(answer).toMatchObject({ outcome: 'kept', raised: { rank: laptop.rank } });
    expect(lease.epoch).toBeGreaterThan(tower.epoch);
    expect((await renew(laptops, lease)).answer).toEqual({ outcome: 'kept', raised: null });
  });

  it("lets the person's newest act win, though the older holder was confirmed first", async () => {
    const [laptops, towers] = [nodeOf('n1'), nodeOf('n2')];
    const laptop = await hold(laptops, 'laptop');
    await redis.keepCopy();
    const tower = await hold(towers, 'tower');
    await redis.failOver();
    const confirmed = await renew(laptops, laptop);
    expect(confirmed.answer?.outcome).toBe('kept');
    expect(confirmed.lease.epoch).toBeGreaterThan(tower.epoch);
    const back = await renew(towers, tower);
    expect(back.answer).toMatchObject({ outcome: 'reasserted', raised: { rank: tower.rank } });
    expect(back.lease.epoch).toBeGreaterThan(confirmed.lease.epoch);
    expect((await renew(laptops, confirmed.lease)).answer).toMatchObject({
      outcome: 'lost',
      reason: 'taken_over',
      by: { id: 'tower' },
    });
  });

  it('evicts nobody whose confirmation got lost on its way', async () => {
    const node = nodeOf('n1');
    const held = await hold(node, 'desk');
    await redis.newReign();
    const unheard = await renew(node, held);
    expect(unheard.lease.epoch).toBeGreaterThan(held.epoch);
    const heard = await renew(node, held);
    expect(heard.answer).toEqual({
      outcome: 'kept',
      raised: { epoch: unheard.lease.epoch, rank: held.rank },
    });
    // Nor is its release, its end from outside or its proof refused for an epoch since the person's act.
    expect(await node.sessions.ownedBy(ORG, 'ann', held.sessionId, held.epoch)).not.toBeNull();
    expect(await node.leases.release(held)).toBe(true);
  });

  it('keeps the rank of a session that is resumed over its beginning', async () => {
    const node = nodeOf('n1');
    const held = await hold(node, 'desk', { instance: 'p', attempt: 1 });
    await redis.newReign();
    const resumed = await hold(node, 'desk', { instance: 'p', attempt: 2, onConflict: 'deny' });
    expect(resumed.rank).toBe(held.rank);
    expect(resumed.epoch).toBeGreaterThan(held.epoch);
    const again = await hold(node, 'desk', { instance: 'p', attempt: 3, onConflict: 'deny' });
    expect(again.rank).toBe(held.rank);
    // A person who presses "use here" acts anew, also on the session that is here.
    const act = await hold(node, 'desk', { instance: 'p', attempt: 4, onConflict: 'takeover' });
    expect(act).toMatchObject({ sessionId: held.sessionId, rank: act.epoch });
  });

  it('gives a client that comes back to a seat which Redis has lost no newer act than it had', async () => {
    const [laptops, towers] = [nodeOf('n1'), nodeOf('n2')];
    await redis.keepCopy();
    const laptop = await hold(laptops, 'laptop');
    const tower = await hold(towers, 'tower');
    await redis.failOver();
    const resume = { sessionId: laptop.sessionId, epoch: laptop.epoch };
    const back = await hold(laptops, 'laptop', { onConflict: 'deny', resume });
    expect(back).toMatchObject({ rank: laptop.epoch });
    expect(back.epoch).toBeGreaterThan(tower.epoch);
    expect((await renew(towers, tower)).answer).toMatchObject({ outcome: 'reasserted' });
    expect((await renew(laptops, back)).answer).toMatchObject({ outcome: 'lost', by: { id: 'tower' } });
  });

  it('lets the newest act win where Redis has lost the lease alone, and an older client is back first', async () => {
    const [laptops, towers] = [nodeOf('n1'), nodeOf('n2')];
    const laptop = await hold(laptops, 'laptop');
    const tower = await hold(towers, 'tower');
    await redis.newReign();
    await redis.client.del(keys.lease(ORG, 'ann'));
    const resume = { sessionId: laptop.sessionId, epoch: laptop.epoch };
    const back = await hold(laptops, 'laptop', { onConflict: 'deny', resume });
    expect((await renew(towers, tower)).answer).toMatchObject({ outcome: 'reasserted' });
    expect((await renew(laptops, back)).answer).toMatchObject({ outcome: 'lost', by: { id: 'tower' } });
  });

  it('leaves nobody who comes back with an old epoch below the fence', async () => {
    const node = nodeOf('n1');
    const held = await hold(node, 'desk');
    await node.leases.evict({ org: ORG, user: 'ann', reason: 'evicted_by_admin', actor: 'admin' });
    await redis.newReign();
    const resume = { sessionId: held.sessionId, epoch: held.epoch };
    const back = await hold(node, 'desk', { onConflict: 'deny', resume });
    expect(back.rank).toBeGreaterThan(held.epoch);
    await redis.client.del(keys.lease(ORG, 'ann'));
    expect((await renew(node, back)).answer).toMatchObject({ outcome: 'reasserted' });
  });

  it('has no effect on an order for one grant: any epoch since the act will do, and none from before it', async () => {
    const node = nodeOf('n1');
    const before = await hold(node, 'lap');
    const held = await hold(node, 'desk');
    await redis.newReign();
    await renew(node, held);
    const evict = (epoch: number) =>
      node.leases.evict({
        org: ORG,
        user: 'ann',
        reason: 'evicted_by_admin',
        actor: 'root',
        only: { sessionId: held.sessionId, epoch },
      });
    expect(await evict(before.epoch)).toBeNull();
    expect(await evict(held.epoch)).toMatchObject({ sessionId: held.sessionId });
  });

  it('takes no epoch for a time: the end of a session whose lease is lost lasts, however far epochs are ahead', async () => {
    const node = nodeOf('n1');
    const held = await hold(node, 'desk');
    const [seconds] = await redis.client.time();
    expect(held.epoch, 'a reign begins a day ahead').toBeGreaterThan((Number(seconds) + 3_600) * 1_000_000);
    await redis.client.del(keys.lease(ORG, 'ann'));
    const only = { sessionId: held.sessionId, epoch: held.epoch };
    await node.leases.evict({ org: ORG, user: 'ann', reason: 'evicted_by_admin', actor: 'root', only });
    expect((await renew(node, held)).answer).toMatchObject({ outcome: 'lost', reason: 'evicted_by_admin' });
  });

  it('begins only with a missing key where the service tells no replication id', async () => {
    await redis.client.call('ACL', 'SETUSER', 'mute', 'on', '>secret', '~*', '&*', '+@all', '-info');
    const client = new Redis(redis.url.replace('redis://', 'redis://mute:secret@'), {
      enableReadyCheck: false,
    });
    const node = storeOn(client, { nodeId: 'n1' });
    const first = await hold(node, 'desk');
    await redis.newReign();
    expect((await hold(node, 'lap')).epoch).toBe(first.epoch + 1);
    await redis.client.del(keys.epoch(ORG));
    expect((await hold(node, 'desk')).epoch).toBeGreaterThan(first.epoch + 1);
    client.disconnect();
  });

  it('reads the epochs and leases of version 0.1, and writes leases that it can read', async () => {
    const node = nodeOf('n1');
    await redis.client.set(keys.epoch(ORG), '1795000000000000');
    await redis.client.set(
      keys.lease(ORG, 'ann'),
      's1:1795000000000000:n0:1795000000000:{"id":"desk"}',
      'PX',
      60_000,
    );
    const resume = { sessionId: 's1', epoch: 1795000000000000 };
    const resumed = await hold(node, 'desk', { resume, onConflict: 'deny' });
    expect(resumed).toMatchObject({ sessionId: 's1', rank: 1795000000000000, sinceMs: 1795000000000 });
    const value = await redis.client.get(keys.lease(ORG, 'ann'));
    const [, sessionId, epoch, nodeId, since, machine] =
      /^([^:]+):(\d+):([^:]+):(\d+):(.*)$/.exec(value ?? '') ?? [];
    expect([sessionId, Number(epoch), nodeId, since]).toEqual(['s1', resumed.epoch, 'n1', '1795000000000']);
    expect(JSON.parse(machine ?? '')).toMatchObject({ id: 'desk' });
    expect(await redis.client.get(keys.epoch(ORG))).toBe(String(resumed.epoch));
  });
});

describe('promise 8: a Redis that went back in time', () => {
  const setbacks: Setback[] = [];
  const witness = () => storeOn(redis.client, {}, undefined, (setback) => setbacks.push(setback));
  beforeEach(() => {
    setbacks.length = 0;
  });

  it('is noticed by the next claim, with how far it went', async () => {
    const node = witness();
    const held = await hold(node, 'desk');
    await redis.keepCopy();
    const [began] = await redis.client.time();
    const lost = await hold(node, 'lap');
    await redis.failOver();
    await hold(node, 'den');
    expect(setbacks).toEqual([
      { org: ORG, lostMs: expect.any(Number), epochSeen: lost.epoch, epochFound: held.epoch },
    ]);
    expect(setbacks[0]?.lostMs).toBeGreaterThanOrEqual(0);
    const [ended] = await redis.client.time();
    expect(setbacks[0]?.lostMs).toBeLessThanOrEqual((Number(ended) - Number(began) + 1) * 1000);
  });

  it('is noticed by the next renewal, and where only events are lost', async () => {
    const node = witness();
    const held = await hold(node, 'desk');
    await redis.keepCopy();
    await node.leases.claim(requestFor('ann', { id: 'lap' }, { onConflict: 'deny' }));
    await redis.failOver();
    await renew(node, held);
    expect(setbacks).toEqual([
      { org: ORG, lostMs: expect.any(Number), epochSeen: held.epoch, epochFound: held.epoch },
    ]);
  });

  it('is not claimed by a reply that was lost and comes again from the record', async () => {
    const node = witness();
    await hold(node, 'desk');
    await redis.newReign();
    const request = requestFor('ann', { id: 'lap' });
    await node.leases.claim(request);
    await hold(node, 'den');
    await node.leases.claim(request);
    expect(setbacks).toEqual([]);
  });

  it('is not claimed where nothing is lost, nor in a new org', async () => {
    const node = witness();
    const held = await hold(node, 'desk');
    await redis.newReign();
    await renew(node, held);
    expect(setbacks).toEqual([]);
  });

  it('is noticed by the heartbeat, with nobody at work', async () => {
    const { nodes, redisClock } = nodeOf('n1');
    await redisClock.ask(redis.client);
    const report = {
      version: '0',
      publicAddress: 'x:1',
      startedAtMs: 0,
      sessions: 0,
      state: 'ready',
    } as const;
    expect(await nodes.beat(report)).toBe('first');
    await redis.keepCopy();
    const before = Number(await redis.client.zscore(keys.nodes, 'n1'));
    let after = before;
    while (after === before) {
      expect(await nodes.beat(report)).toBe('known');
      after = Number(await redis.client.zscore(keys.nodes, 'n1'));
    }
    await redis.failOver();
    expect(await nodes.beat(report)).toEqual({ lostMs: after - before });
    expect(await nodes.beat(report)).toBe('known');
    await redis.flush();
    expect(await nodes.beat(report)).toBe('forgotten');
  });
});

describe('whose session', () => {
  it('is told by the instance: a copied sessionId gives another process nothing', async () => {
    const node = nodeOf('n1');
    const held = await hold(node, 'desk', { instance: 'p1', attempt: 1 });
    const resume = { sessionId: held.sessionId, epoch: held.epoch };
    const copy = requestFor(
      'ann',
      { id: 'desk' },
      { instance: 'p2', attempt: 1, resume, onConflict: 'deny' },
    );
    expect(await node.leases.claim(copy)).toMatchObject({
      outcome: 'conflict',
      holder: { sameMachine: true },
    });
    expect((await renew(node, held)).answer).toEqual({ outcome: 'kept', raised: null });
    const byPerson = { ...copy, requestId: 'person', onConflict: 'takeover' } as const;
    expect(await node.leases.claim(byPerson)).toMatchObject({
      outcome: 'granted',
      resumed: false,
      displaced: { sessionId: held.sessionId, reason: 'superseded' },
    });
  });

  it('finds a first welcome again that was lost on its way', async () => {
    const node = nodeOf('n1');
    const held = await hold(node, 'desk', { instance: 'p1', attempt: 1 });
    const again = await hold(node, 'desk', { instance: 'p1', attempt: 2, onConflict: 'deny' });
    expect(again.sessionId).toBe(held.sessionId);
  });

  it('promise 15: an older hello changes nothing, a repeated one counts nothing and goes on where it came', async () => {
    const [one, other] = [nodeOf('n1'), nodeOf('n2')];
    const held = await hold(one, 'desk', { instance: 'p1', attempt: 5 });
    const all = async () => {
      const found = await redis.client.keys('*');
      return Promise.all(found.sort().map(async (key) => [key, await redis.client.dump(key)]));
    };
    const before = await all();
    const ghost = requestFor('ann', { id: 'desk' }, { instance: 'p1', attempt: 4 });
    expect(await other.leases.claim(ghost)).toEqual({ outcome: 'stale' });
    expect(await all()).toEqual(before);
    const counters = await redis.client.hgetall(keys.counters(ORG));
    const repeated = await hold(other, 'desk', { instance: 'p1', attempt: 5 });
    expect(repeated).toMatchObject({ sessionId: held.sessionId, rank: held.rank });
    expect(await redis.client.hgetall(keys.counters(ORG))).toMatchObject({ granted: counters.granted });
    expect(await redis.client.xlen(keys.events(ORG))).toBe(1);
    expect((await renew(one, held)).answer).toMatchObject({ outcome: 'lost', reason: 'superseded' });
    expect((await renew(other, repeated)).answer).toEqual({ outcome: 'kept', raised: null });
  });

  it('counts by the sessionId where one side tells no instance', async () => {
    const node = nodeOf('n1');
    const held = await hold(node, 'desk', { instance: 'p1', attempt: 1 });
    const resume = { sessionId: held.sessionId, epoch: 0 };
    expect((await hold(node, 'desk', { resume, onConflict: 'deny' })).sessionId).toBe(held.sessionId);
    const bare = requestFor('ann', { id: 'desk' }, { onConflict: 'deny' });
    expect(await node.leases.claim(bare)).toMatchObject({
      outcome: 'conflict',
      holder: { sameMachine: true },
    });
  });
});

describe('promise 13: whatever ends', () => {
  const endings = async () => {
    const events = await nodeOf('n9').events.page(ORG, { type: 'session.ended' }, null, 50);
    return events.items.map(({ sessionId, epoch, machine, reason, actor, details }) => ({
      ...{ sessionId, epoch, machine, reason, actor },
      ...('by' in details && { by: details.by }),
    }));
  };
  const told = ({ sessionId, epoch, machineId: machine }: HeldLease) => ({ sessionId, epoch, machine });

  it('by a takeover or by another process of the machine says so, and by whom', async () => {
    const node = nodeOf('n1');
    const [first, second] = [await hold(node, 'desk'), await hold(node, 'lap')];
    await hold(node, 'lap');
    expect(await endings()).toEqual([
      { ...told(second), reason: 'superseded', actor: 'user', by: 'lap' },
      { ...told(first), reason: 'taken_over', actor: 'user', by: 'lap' },
    ]);
  });

  it('unseen says so when the next claim comes, and when it is swept', async () => {
    const node = nodeOf('n1');
    const first = await hold(node, 'desk');
    await redis.client.del(keys.lease(ORG, 'ann'));
    const second = await hold(node, 'lap');
    await redis.client.del(keys.lease(ORG, 'ann'));
    await redis.client.zadd(keys.active(ORG), 1, 'ann');
    await node.nodes.announce([ORG]);
    expect(await node.sweeper.sweep(1)).toBe(1);
    expect(await endings()).toEqual([
      { ...told(second), reason: 'expired', actor: 'broker' },
      { ...told(first), reason: 'expired', actor: 'broker' },
    ]);
  });

  it('by a re-assertion over it says so', async () => {
    const [laptops, towers] = [nodeOf('n1'), nodeOf('n2')];
    const laptop = await hold(laptops, 'laptop');
    await redis.keepCopy();
    const tower = await hold(towers, 'tower');
    await redis.failOver();
    await renew(towers, tower);
    expect(await endings()).toEqual([
      { ...told(laptop), reason: 'lease_lost', actor: 'broker', by: 'tower' },
    ]);
  });
});
