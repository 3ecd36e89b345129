import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, monotonicMs } from '../../src/base/clock.js';
import { createLog } from '../../src/base/log.js';
import { createMetrics } from '../../src/base/metrics.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { keyNames } from '../../src/store/keys.js';
import type { ClaimAnswer, ClaimRequest, LeaseConfig } from '../../src/store/lease-types.js';
import type { Leases } from '../../src/store/leases.js';
import { connectRedis, openCommands } from '../../src/store/redis.js';
import { parseLease } from '../../src/store/replies.js';
import { withinOneMinute } from '../support/calendar.js';
import { eventually } from '../support/eventually.js';
import { testRedis } from '../support/redis.js';
import { RedisProxy } from '../support/redis-proxy.js';
import { countsOf, leaseFrom, ORG, requestFor, storeOn } from '../support/store.js';

const KEPT = { outcome: 'kept', raised: null };
const keys = keyNames('soleseat:');
let redis: RedisProcess;
let store: Redis;

beforeAll(async () => {
  redis = await testRedis();
  store = new Redis(redis.url);
});
beforeEach(async () => {
  await store.flushall();
});
afterAll(async () => {
  store.disconnect();
  await redis.stop();
});

function nodeOf(more: Partial<LeaseConfig> = {}, clock: Clock = monotonicMs): Leases {
  return storeOn(store, more, clock).leases;
}
const sweeperOf = (nodeId: string) => storeOn(store, { nodeId }).sweeper;

function requestOf(user: string, machineId: string, more: Partial<ClaimRequest> = {}): ClaimRequest {
  return requestFor(user, more.machine ?? { id: machineId, name: machineId }, more);
}

async function hold(node: Leases, user: string, machineId: string, more: Partial<ClaimRequest> = {}) {
  const request = requestOf(user, machineId, more);
  return leaseFrom(request, await node.claim(request));
}

async function leaseOf(user: string) {
  return parseLease((await store.get(keys.lease(ORG, user))) ?? '');
}

const counters = () => countsOf(store, keys.counters(ORG));
const evictAnn = { org: ORG, user: 'ann', reason: 'evicted_by_admin', actor: 'root' } as const;

describe('claim', () => {
  it('answers a repeated request id from the record, and does nothing again', async () => {
    const node = nodeOf();
    const request = requestOf('ann', 'desk');
    const first = await node.claim(request);
    const between = await store.get(keys.epoch(ORG));
    expect(await node.claim({ ...request, sessionId: 'another' })).toEqual(first);
    expect(await store.get(keys.epoch(ORG))).toBe(between);
    expect(await counters()).toEqual({ granted: '1' });
    expect(await store.xlen(keys.events(ORG))).toBe(1);
  });

  it('asks once more when no reply comes, and is answered from the record: one grant, with one epoch', async () => {
    const proxy = await RedisProxy.start(redis.url);
    const parts = { log: createLog('silent', 'test'), metrics: createMetrics() };
    const connection = openCommands({ redisUrl: proxy.url, commandTimeoutMs: 1_000 }, parts) as Redis;
    await connectRedis(connection);
    const node = storeOn(connection).leases;
    // From here on the server knows the script: each attempt is one command.
    await hold(node, 'bob', 'desk');
    proxy.holdReplies(2);
    const held = await hold(node, 'ann', 'desk');
    expect(await leaseOf('ann')).toMatchObject({ sessionId: held.sessionId, epoch: held.epoch });
    expect(await store.get(keys.epoch(ORG))).toBe(String(held.epoch));
    expect(await counters()).toEqual({ granted: '2' });
    const events = await store.xrange(keys.events(ORG), '-', '+');
    expect(events.filter(([, fields]) => fields.includes(held.sessionId))).toHaveLength(1);
    connection.disconnect();
    proxy.stop();
  });

  it('asks once more on the next connection, where the first broke after the script ran', async () => {
    const proxy = await RedisProxy.start(redis.url);
    const parts = { log: createLog('silent', 'test'), metrics: createMetrics() };
    const connection = openCommands({ redisUrl: proxy.url, commandTimeoutMs: 60_000 }, parts) as Redis;
    await connectRedis(connection);
    proxy.holdReplies();
    const claiming = hold(storeOn(connection, { commandTimeoutMs: 60_000 }).leases, 'ann', 'desk');
    await eventually(async () => (await leaseOf('ann')) !== null);
    const granted = await leaseOf('ann');
    proxy.holdReplies(0);
    proxy.breakCommands();
    const { sessionId, epoch } = await claiming;
    expect({ sessionId, epoch }).toEqual({ sessionId: granted?.sessionId, epoch: granted?.epoch });
    expect(await leaseOf('ann')).toEqual(granted);
    expect(await counters()).toEqual({ granted: '1' });
    connection.disconnect();
    proxy.stop();
  });

  it('repeats a refusal too, though the seat has become free', async () => {
    const node = nodeOf();
    const held = await hold(node, 'ann', 'desk');
    const request = requestOf('ann', 'lap', { onConflict: 'deny' });
    const first = await node.claim(request);
    expect(first.outcome).toBe('conflict');
    await node.release(held);
    expect(await node.claim(request)).toEqual(first);
    expect(await counters()).toMatchObject({ 'denied:conflict': '1' });
  });

  it('does nothing past its deadline', async () => {
    const before = nodeOf();
    const held = await hold(before, 'ann', 'desk');
    // Less than no patience: the second attempt, which knows Redis's time better, is late too.
    const late = nodeOf({ commandTimeoutMs: -50 });
    await late.renew(ORG, [held]);
    const all = await snapshot();
    await expect(late.claim(requestOf('ann', 'lap'))).rejects.toThrow('Redis is out of reach');
    expect(await snapshot()).toEqual(all);
  });

  it('comes in time once the answer has told what Redis’s time is', async () => {
    let nowMs = 0;
    const node = nodeOf({}, () => nowMs);
    await hold(node, 'ann', 'desk');
    nowMs -= 60_000;
    expect((await node.claim(requestOf('ann', 'desk'))).outcome).toBe('granted');
    expect(await counters()).toEqual({ granted: '2', 'ended:superseded': '1' });
  });

  it('resumes only with the right session, whatever epoch the client names', async () => {
    const node = nodeOf();
    const held = await hold(node, 'ann', 'desk');
    const { sessionId, epoch } = held;
    const resumed = await node.claim(requestOf('ann', 'desk', { resume: { sessionId, epoch } }));
    expect(resumed).toMatchObject({ resumed: true, sessionId, sinceMs: held.sinceMs });
    const again = await node.claim(requestOf('ann', 'desk', { resume: { sessionId, epoch } }));
    expect(again).toMatchObject({ resumed: true, sessionId, isAhead: false });
    const ahead = await node.claim(requestOf('ann', 'desk', { resume: { sessionId, epoch: 2 ** 53 - 1 } }));
    expect(ahead).toMatchObject({ resumed: true, sessionId, isAhead: true });
    expect(ahead).toHaveProperty('epoch', (again as { epoch: number }).epoch + 1);
    const other = await node.claim(requestOf('ann', 'desk', { resume: { sessionId: 'other', epoch } }));
    expect(other).toMatchObject({ resumed: false, displaced: { sessionId, reason: 'superseded' } });
    expect(await counters()).toEqual({ granted: '2', resumed: '3', 'ended:superseded': '1' });
  });

  it('refuses who flaps, and leaves the seat where it is', async () => {
    const node = nodeOf({ takeoversPerMinute: 3 });
    for (const machine of ['m0', 'm1', 'm2', 'm3']) await hold(node, 'ann', machine);
    const answer = await node.claim(requestOf('ann', 'm4'));
    if (answer.outcome !== 'flapping') throw new Error(answer.outcome);
    expect(answer.retryAfterMs).toBeGreaterThan(50_000);
    expect(answer.retryAfterMs).toBeLessThanOrEqual(60_000);
    expect((await leaseOf('ann'))?.machine.id).toBe('m3');
    expect(await counters()).toMatchObject({ granted: '4', 'ended:taken_over': '3', 'denied:flapping': '1' });
    // The holder itself and other users are free to come.
    expect((await node.claim(requestOf('ann', 'm3'))).outcome).toBe('granted');
    expect((await node.claim(requestOf('bob', 'm4'))).outcome).toBe('granted');
  });

  it('is refused past the user’s limit in a minute, and a flood is one event and their number', async () => {
    await withinOneMinute();
    const node = nodeOf({ claimsPerMinute: 3, takeoversPerMinute: 1, licenseMode: 'required' });
    const claims: ClaimAnswer[] = [];
    for (let i = 0; i < 10; i++) claims.push(await node.claim(requestOf('ann', 'desk')));
    expect(claims.map(({ outcome }) => outcome)).toEqual([
      ...Array(3).fill('denied'),
      ...Array(7).fill('rate_limited'),
    ]);
    expect(await counters()).toEqual({ 'denied:license_required': '3', 'denied:rate_limited': '7' });
    expect(await store.xlen(keys.events(ORG))).toBe(1);
    expect(await store.hget(keys.refused(ORG), 'ann')).toMatch(/^\d+:9:rate_limited:desk$/);
    expect(await store.keys('soleseat:{acme}:request:*')).toHaveLength(3);
  });

  it('tells the loser’s node, and nobody when that is its own', async () => {
    const inbox = new Redis(redis.url);
    const told: unknown[] = [];
    inbox.on('message', (channel: string, text: string) => told.push([channel, JSON.parse(text)]));
    await inbox.subscribe('soleseat:node:n1', 'soleseat:node:n2');
    const first = await hold(nodeOf(), 'ann', 'desk');
    await hold(nodeOf(), 'bob', 'desk');
    await hold(nodeOf(), 'bob', 'lap');
    const second = await hold(nodeOf({ nodeId: 'n2' }), 'ann', 'lap');
    await eventually(() => told.length > 0);
    expect(told).toEqual([
      [
        'soleseat:node:n1',
        {
          type: 'ended',
          org: ORG,
          user: 'ann',
          sessionId: first.sessionId,
          epoch: String(first.epoch),
          connection: first.connection,
          reason: 'taken_over',
          at: String(second.sinceMs),
          byEpoch: String(second.epoch),
          by: { id: 'lap', name: 'lap' },
        },
      ],
    ]);
    inbox.disconnect();
  });

  it('keeps the machines of a user who never comes again for a time (promise 16)', async () => {
    await hold(nodeOf(), 'ann', 'lap');
    const days = (ms: number) => Math.round(ms / 86_400_000);
    expect(days(await store.pttl(keys.machines(ORG, 'ann')))).toBe(400);
    expect(days(await store.pttl(keys.machineNotes(ORG, 'ann')))).toBe(400);
  });

  it('keeps the newest 256 machines of a user', async () => {
    const node = nodeOf();
    await store.zadd(
      keys.machines(ORG, 'ann'),
      ...Array.from({ length: 300 }, (_, i) => [i, `m${i}`]).flat(),
    );
    await hold(node, 'ann', 'newest');
    expect(await store.zcard(keys.machines(ORG, 'ann'))).toBe(256);
    const kept = await store.zrange(keys.machines(ORG, 'ann'), '0', '-1');
    expect([kept[0], kept.at(-1)]).toEqual(['m45', 'newest']);
  });

  it('caps the audit trail', async () => {
    const node = nodeOf({ eventsKept: 50 });
    for (let i = 0; i < 400; i++) await hold(node, `u${i}`, 'desk');
    // Redis trims by whole blocks, of 100 entries each by default.
    const length = await store.xlen(keys.events(ORG));
    expect(length).toBeGreaterThanOrEqual(50);
    expect(length).toBeLessThanOrEqual(150);
  });

  it('writes epochs and times as whole numbers, without an exponent', async () => {
    const node = nodeOf();
    await hold(node, 'bob', 'desk');
    // The largest that Lua and JavaScript count exactly, but for the few that follow.
    await store.set(keys.epoch(ORG), '9007199254740000');
    const held = await hold(node, 'ann', 'desk');
    expect(held.epoch).toBe(9007199254740001);
    expect(await node.renew(ORG, [held])).toEqual([KEPT]);
    const next = await hold(node, 'ann', 'lap');
    expect(next.epoch).toBe(9007199254740002);
    await node.release(next);
    expect(await store.get(keys.epoch(ORG))).toBe('9007199254740003');
    expect(await store.get(keys.fence(ORG, 'ann'))).toBe('9007199254740003:released');
    const events = await store.xrange(keys.events(ORG), '-', '+');
    const values = events.flatMap(([, fields]) => fields);
    expect(values).toContain('9007199254740002');
    expect(values.filter((value) => /^[\d.]+e\+?\d+$/i.test(value))).toEqual([]);
  });

  it('raises the epoch above all that the node has seen, though Redis forgot', async () => {
    const node = nodeOf();
    await store.set(keys.epoch(ORG), '8000000000000000');
    const before = await hold(node, 'ann', 'desk');
    await store.flushall();
    expect((await hold(node, 'bob', 'desk')).epoch).toBeGreaterThan(before.epoch);
  });

  it('raises the epoch above all that other nodes were given in a rush, though Redis forgot', async () => {
    const rushed = nodeOf();
    const rush = Array.from({ length: 2_000 }, (_, i) => hold(rushed, `u${i}`, 'desk'));
    const highest = Math.max(...(await Promise.all(rush)).map(({ epoch }) => epoch));
    await store.flushall();
    expect((await hold(nodeOf({ nodeId: 'n2' }), 'u0', 'lap')).epoch).toBeGreaterThan(highest);
  });
});

describe('the license gate', () => {
  const gate = { licenseMode: 'required' };

  /** Somebody holds ann's seat, then another machine claims it and is refused. */
  async function expectRefusal(
    reason: string,
    prepare: () => Promise<unknown>,
    more: Partial<LeaseConfig> = gate,
    request: Partial<ClaimRequest> = {},
  ): Promise<void> {
    await hold(nodeOf(), 'ann', 'desk');
    await prepare();
    const before = await seatOf('ann');
    const answer = await nodeOf({ nodeId: 'n2', ...more }).claim(requestOf('ann', 'lap', request));
    expect(answer).toEqual({ outcome: 'denied', reason });
    expect(await seatOf('ann')).toEqual(before);
    expect(await counters()).toMatchObject({ granted: '1', [`denied:${reason}`]: '1' });
    expect(await counters()).not.toHaveProperty('ended:taken_over');
  }

  async function seatOf(user: string) {
    return {
      lease: await store.get(keys.lease(ORG, user)),
      epoch: await store.get(keys.epoch(ORG)),
      fence: await store.get(keys.fence(ORG, user)),
      active: await store.zrange(keys.active(ORG), '0', '-1', 'WITHSCORES'),
      takeovers: await store.get(keys.takeovers(ORG, user)),
      machines: await store.zrange(keys.machines(ORG, user), '0', '-1', 'WITHSCORES'),
      licenses: await store.zrange(keys.licensed(ORG), '0', '-1'),
    };
  }

  const licensed = (fields: Record<string, string>) =>
    store.hset(keys.license(ORG, 'ann'), { id: 'l-ann', ...fields });

  it('lets nobody in without a license where one is required', () =>
    expectRefusal('license_required', async () => {}));

  it.each([
    ['license_suspended', { status: 'suspended' }],
    ['license_revoked', { status: 'revoked' }],
    ['license_expired', { status: 'expired' }],
    ['license_expired', { status: 'active', expiresAt: '1' }],
  ])('refuses with %s, in every mode, where the license is %j', async (reason, fields) => {
    for (const licenseMode of ['required', 'auto', 'open']) {
      await store.flushall();
      await expectRefusal(reason, () => licensed(fields), { licenseMode });
    }
  });

  it('refuses once the quota is used up', () =>
    expectRefusal(
      'quota_exhausted',
      async () => {
        await store.hset(keys.settings(ORG), 'quota', '2');
        await store.zadd(keys.licensed(ORG), 1, 'bob', 2, 'cleo');
      },
      { licenseMode: 'auto' },
    ));

  it('refuses a container, unless the org allows them', async () => {
    const container = { machine: { id: 'lap', kind: 'container' } } as const;
    await expectRefusal('machine_not_allowed', () => licensed({ status: 'active' }), gate, container);
    await store.hset(keys.settings(ORG), 'containers', 'allow');
    expect((await nodeOf(gate).claim(requestOf('ann', 'lap', container))).outcome).toBe('granted');
  });

  it('lets the org’s own mode go before the node’s', () =>
    expectRefusal('license_required', () => store.hset(keys.settings(ORG), 'licenseMode', 'required'), {
      licenseMode: 'open',
    }));

  it('passes a license that is active and names when it ends', async () => {
    const expiresAt = Date.now() + 60_000;
    await licensed({ status: 'active', expiresAt: String(expiresAt) });
    const answer = await nodeOf(gate).claim(requestOf('ann', 'desk'));
    expect(answer).toMatchObject({ outcome: 'granted', license: { id: 'l-ann', expiresAt } });
  });

  it('issues one per user while the quota lasts', async () => {
    const node = nodeOf({ licenseMode: 'auto' });
    await store.hset(keys.settings(ORG), 'quota', '2');
    const request = requestOf('ann', 'desk');
    expect(await node.claim(request)).toMatchObject({ license: { id: request.licenseId } });
    expect(await node.claim(requestOf('ann', 'lap'))).toMatchObject({ license: { id: request.licenseId } });
    await hold(node, 'bob', 'desk');
    expect(await node.claim(requestOf('cleo', 'desk'))).toEqual({
      outcome: 'denied',
      reason: 'quota_exhausted',
    });
    expect(await counters()).toMatchObject({ issued: '2', 'denied:quota_exhausted': '1' });
    expect(await store.zrange(keys.licensed(ORG), '0', '-1')).toEqual(['ann', 'bob']);
  });
});

describe('release', () => {
  it('frees nothing with a stale epoch or another session', async () => {
    const node = nodeOf();
    const loser = await hold(node, 'ann', 'desk');
    const winner = await hold(node, 'ann', 'lap');
    const before = await snapshot();
    for (const stale of [
      loser,
      { ...winner, epoch: loser.epoch, connection: 'another' },
      { ...winner, sessionId: 's' },
    ]) {
      expect(await node.release(stale)).toBe(false);
    }
    // An epoch that begins like the winner's is not the winner's.
    const shorter = { ...winner, epoch: Math.floor(winner.epoch / 10), connection: 'another' };
    expect(await node.release(shorter)).toBe(false);
    expect(await snapshot()).toEqual(before);
    expect(await node.release(winner)).toBe(true);
    expect(await store.get(keys.lease(ORG, 'ann'))).toBeNull();
  });

  it('is final though Redis forgot the epochs of the org: the fence is above the session', async () => {
    const node = nodeOf();
    await store.set(keys.epoch(ORG), '8000000000000000');
    const held = await hold(node, 'ann', 'desk');
    await store.del(keys.epoch(ORG), keys.fence(ORG, 'ann'));
    expect(await node.release(held)).toBe(true);
    const [rank, reason] = (await store.get(keys.fence(ORG, 'ann')))?.split(':') ?? [];
    expect(Number(rank)).toBeGreaterThan(held.epoch);
    expect(reason).toBe('released');
    expect(await node.renew(ORG, [held])).toMatchObject([{ outcome: 'lost', reason: 'released' }]);
  });

  it('is final: the session does not come back', async () => {
    const node = nodeOf();
    const held = await hold(node, 'ann', 'desk');
    await node.release(held);
    expect(await node.renew(ORG, [held])).toMatchObject([{ outcome: 'lost', reason: 'released', by: null }]);
    expect(await node.release(held)).toBe(false);
    expect(await store.get(keys.lease(ORG, 'ann'))).toBeNull();
  });
});

describe('evict', () => {
  it('leaves a tombstone over which nothing re-asserts, and which a new claim passes', async () => {
    const node = nodeOf();
    const held = await hold(node, 'ann', 'desk');
    expect(await node.evict(evictAnn)).toMatchObject({ sessionId: held.sessionId, epoch: held.epoch });
    const [answer] = await node.renew(ORG, [held]);
    expect(answer).toMatchObject({ outcome: 'lost', reason: 'evicted_by_admin', by: null });
    const tombstone = Number((await store.get(keys.fence(ORG, 'ann')))?.split(':')[0]);
    expect(answer).toMatchObject({ epoch: tombstone });
    expect(tombstone).toBeGreaterThan(held.epoch);
    expect((await hold(node, 'ann', 'desk')).epoch).toBeGreaterThan(tombstone);
    expect(await counters()).toEqual({ granted: '2', 'ended:evicted_by_admin': '1' });
  });

  it('raises the tombstone above the session, though Redis forgot the epochs of the org', async () => {
    const node = nodeOf();
    await store.set(keys.epoch(ORG), '8000000000000000');
    const held = await hold(node, 'ann', 'desk');
    await store.del(keys.epoch(ORG), keys.fence(ORG, 'ann'));
    expect(await node.evict(evictAnn)).toMatchObject({ sessionId: held.sessionId, epoch: held.epoch });
    const [rank, reason] = (await store.get(keys.fence(ORG, 'ann')))?.split(':') ?? [];
    expect(Number(rank)).toBeGreaterThan(held.epoch);
    expect(reason).toBe('evicted_by_admin');
    expect(await node.renew(ORG, [held])).toMatchObject([{ outcome: 'lost', reason: 'evicted_by_admin' }]);
  });

  it('leaves a session that was resumed since, and any of which only the epoch or only the id is right', async () => {
    const node = nodeOf();
    const { sessionId, epoch } = await hold(node, 'ann', 'desk');
    const resume = requestOf('ann', 'desk', { resume: { sessionId, epoch } });
    const resumed = leaseFrom(resume, await node.claim(resume));
    expect(resumed.sessionId).toBe(sessionId);
    const before = await snapshot();
    const only = { sessionId, epoch: resumed.epoch };
    for (const other of [
      { sessionId, epoch },
      { ...only, sessionId: 's' },
    ])
      expect(await node.evict({ ...evictAnn, only: other })).toBeNull();
    expect(await snapshot()).toEqual(before);
    expect(await node.evict({ ...evictAnn, only })).toMatchObject(only);
  });

  it('ends only the grant that is meant, and nobody where there is none', async () => {
    const node = nodeOf();
    const { sessionId, epoch } = await hold(node, 'ann', 'desk');
    const winner = await hold(node, 'ann', 'lap');
    expect(await node.evict({ ...evictAnn, only: { sessionId, epoch } })).toBeNull();
    expect((await leaseOf('ann'))?.sessionId).toBe(winner.sessionId);
    expect(await node.evict({ ...evictAnn, user: 'bob' })).toBeNull();
    expect(await counters()).toEqual({ granted: '2', 'ended:taken_over': '1' });
  });
});

describe('renew', () => {
  it('refuses to re-assert below the fence, for the reason recorded there', async () => {
    const node = nodeOf();
    const held = await hold(node, 'ann', 'desk');
    await store.del(keys.lease(ORG, 'ann'));
    await store.set(keys.fence(ORG, 'ann'), `${held.epoch + 1}:license_revoked`);
    const before = await snapshot();
    expect(await node.renew(ORG, [held])).toMatchObject([
      { outcome: 'lost', reason: 'license_revoked', by: null, epoch: held.epoch + 1 },
    ]);
    expect(await snapshot()).toEqual(before);
  });

  it.each(['suspended', 'revoked', 'expired'])(
    'does not re-assert over a license that is %s',
    async (status) => {
      const node = nodeOf();
      const held = await hold(node, 'ann', 'desk');
      await store.flushall();
      await store.hset(keys.license(ORG, 'ann'), { id: 'l', status });
      expect(await node.renew(ORG, [held])).toMatchObject([{ outcome: 'lost', reason: `license_${status}` }]);
      expect(await store.get(keys.lease(ORG, 'ann'))).toBeNull();
    },
  );

  it('does not re-assert over a hold: who evicted could not see the lease that Redis had lost', async () => {
    const node = nodeOf();
    const held = await hold(node, 'ann', 'desk');
    await store.flushall();
    expect(await node.evict({ ...evictAnn, holdMs: 60_000 })).toBeNull();
    expect(await node.renew(ORG, [held])).toMatchObject([{ outcome: 'lost', reason: 'evicted_by_admin' }]);
    await node.evict({ ...evictAnn, holdMs: 0 });
    expect(await node.renew(ORG, [held])).toMatchObject([{ outcome: 'lost', reason: 'evicted_by_admin' }]);
    expect((await node.claim(requestOf('ann', 'desk'))).outcome).toBe('granted');
  });

  it('does not re-assert what was evicted while Redis did not know of it', async () => {
    const node = nodeOf();
    const [all, one] = [await hold(node, 'ann', 'desk'), await hold(node, 'bob', 'desk')];
    await store.flushall();
    expect(await node.evict(evictAnn)).toBeNull();
    expect(await node.evict({ ...evictAnn, user: 'bob', only: one })).toBeNull();
    const lost = { outcome: 'lost', reason: 'evicted_by_admin' };
    expect(await node.renew(ORG, [all, one])).toMatchObject([lost, lost]);
    expect(await store.exists(keys.lease(ORG, 'ann'), keys.lease(ORG, 'bob'))).toBe(0);
  });

  it('does not re-assert what was given back while Redis did not know of it', async () => {
    const node = nodeOf();
    const held = await hold(node, 'ann', 'desk');
    await store.flushall();
    expect(await node.release(held)).toBe(false);
    expect(await node.renew(ORG, [held])).toMatchObject([{ outcome: 'lost', reason: 'released' }]);
  });

  it('answers for the others where one lease cannot be read', async () => {
    const node = nodeOf();
    const [good, bad] = [await hold(node, 'ann', 'desk'), await hold(node, 'bob', 'desk')];
    await store.set(keys.lease(ORG, 'bob'), 'no lease');
    expect(await node.renew(ORG, [bad, good])).toMatchObject([{ outcome: 'failed' }, { outcome: 'kept' }]);
  });

  it.each(['lower first', 'higher first'])('lets the newest act win after FLUSHALL, %s', async (order) => {
    const low = nodeOf();
    const high = nodeOf({ nodeId: 'n2' });
    const lower = await hold(low, 'ann', 'desk');
    // The takeover's notice was lost, and then everything else.
    const higher = await hold(high, 'ann', 'lap');
    await store.flushall();
    if (order === 'lower first') {
      expect(await low.renew(ORG, [lower])).toMatchObject([{ outcome: 'reasserted' }]);
      expect(await high.renew(ORG, [higher])).toMatchObject([{ outcome: 'reasserted' }]);
      expect(await counters()).toEqual({ reasserted: '2', 'ended:lease_lost': '1' });
    } else {
      expect(await high.renew(ORG, [higher])).toMatchObject([{ outcome: 'reasserted' }]);
      expect(await counters()).toEqual({ reasserted: '1' });
    }
    const stands = await leaseOf('ann');
    expect(await low.renew(ORG, [lower])).toMatchObject([
      { outcome: 'lost', reason: 'taken_over', by: { id: 'lap' }, epoch: stands?.epoch },
    ]);
    expect(stands).toMatchObject({
      rank: higher.epoch,
      nodeId: 'n2',
      sinceMs: higher.sinceMs,
    });
    expect(await store.zcard(keys.active(ORG))).toBe(1);
    // The org's epoch is not below what was put back.
    expect(Number(await store.get(keys.epoch(ORG)))).toBeGreaterThanOrEqual(higher.epoch);
  });

  it('survives SCRIPT FLUSH', async () => {
    const node = nodeOf();
    const held = await hold(node, 'ann', 'desk');
    await store.script('FLUSH');
    expect(await node.renew(ORG, [held])).toEqual([KEPT]);
    await store.script('FLUSH');
    expect((await node.claim(requestOf('ann', 'lap'))).outcome).toBe('granted');
    await store.script('FLUSH');
    expect(await node.evict(evictAnn)).not.toBeNull();
  });

  it('answers for each of a large batch in order, and lengthens all', async () => {
    const node = nodeOf();
    const held = await Promise.all(Array.from({ length: 3_000 }, (_, i) => hold(node, `u${i}`, 'desk')));
    await store.del(keys.lease(ORG, 'u7'));
    const taker = await hold(nodeOf({ nodeId: 'n2' }), 'u9', 'lap');
    for (const i of [0, 2_999]) await store.pexpire(keys.lease(ORG, `u${i}`), 5_000);
    const answers = await node.renew(ORG, held);
    expect(answers).toHaveLength(3_000);
    expect(answers[7]).toMatchObject({ outcome: 'reasserted' });
    expect(answers[9]).toMatchObject({ outcome: 'lost', epoch: taker.epoch });
    expect(answers.filter(({ outcome }) => outcome === 'kept')).toHaveLength(2_998);
    for (const i of [0, 2_999]) expect(await store.pttl(keys.lease(ORG, `u${i}`))).toBeGreaterThan(50_000);
  });
});

describe('expiry', () => {
  const TTL_MS = 60;
  const gone = (user: string) => eventually(async () => (await store.exists(keys.lease(ORG, user))) === 0);

  it('frees the seat at the TTL, and the sweep takes it out of the counts once', async () => {
    const node = nodeOf({ leaseTtlMs: TTL_MS });
    await hold(node, 'ann', 'desk');
    await hold(nodeOf(), 'bob', 'desk');
    await gone('ann');
    expect(await store.zcard(keys.active(ORG))).toBe(2);
    await storeOn(store).nodes.announce([ORG]);
    let swept = 0;
    await eventually(async () => {
      swept += await sweeperOf('n1').sweep(1);
      return swept > 0;
    });
    swept += await sweeperOf('n2').sweep(1);
    expect(swept).toBe(1);
    expect(await store.zrange(keys.active(ORG), '0', '-1')).toEqual(['bob']);
    expect(await counters()).toEqual({ granted: '2', 'ended:expired': '1' });
  });

  it('counts a session that ran out before the next claim, with no sweep between', async () => {
    const node = nodeOf({ leaseTtlMs: TTL_MS });
    await hold(node, 'ann', 'desk');
    await gone('ann');
    expect(await nodeOf().claim(requestOf('ann', 'lap'))).toMatchObject({ displaced: null });
    expect(await counters()).toEqual({ granted: '2', 'ended:expired': '1' });
  });

  it('sweeps all that a crashed node left, in one turn', async () => {
    const node = nodeOf({ leaseTtlMs: TTL_MS });
    await Promise.all(Array.from({ length: 1_000 }, (_, i) => hold(node, `u${i}`, 'desk')));
    for (let i = 0; i < 1_000; i += 100) await gone(`u${i}`);
    await gone('u999');
    await new Promise((resolve) => setTimeout(resolve, TTL_MS));
    const sweeper = sweeperOf('n2');
    await storeOn(store).nodes.announce([ORG]);
    expect(await sweeper.sweep(1)).toBe(1_000);
    expect(await store.zcard(keys.active(ORG))).toBe(0);
  });

  it('does not sweep a session that was renewed', async () => {
    const node = nodeOf();
    await hold(node, 'ann', 'desk');
    await store.zadd(keys.active(ORG), 1, 'ann');
    await storeOn(store).nodes.announce([ORG]);
    expect(await sweeperOf('n1').sweep(1)).toBe(0);
    expect(Number(await store.zscore(keys.active(ORG), 'ann'))).toBeGreaterThan(Date.now());
  });
});

/** All that an org has stored but its TTLs. */
async function snapshot(): Promise<Record<string, unknown>> {
  const names = (await store.keys('soleseat:{*')).filter((name) => !name.includes(':request:')).sort();
  const values = await Promise.all(names.map(async (name) => (await store.dump(name)) ?? ''));
  return Object.fromEntries(names.map((name, i) => [name, values[i]]));
}
