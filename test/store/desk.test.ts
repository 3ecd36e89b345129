import { beforeEach, describe, expect, it } from 'vitest';
import { recount } from '../../src/license/recount.js';
import { uniqueUsersNow, usageByDay, usageByHour } from '../../src/license/usage.js';
import type { EventFilter } from '../../src/store/events.js';
import { hourOf, keyNames, quarterOf } from '../../src/store/keys.js';
import type { Store } from '../../src/store/store.js';
import { withinOneHour } from '../support/calendar.js';
import { useRedis } from '../support/redis.js';
import { claimFor, issueTo, ORG, orderFor, storeOn } from '../support/store.js';

const keys = keyNames('soleseat:');
const redis = useRedis();
let store: Store;

beforeEach(async () => {
  await redis.client.flushall();
  store = storeOn(redis.client);
});

const order = orderFor;

async function issue(...users: string[]) {
  for (const user of users) await issueTo(store, user);
}

async function claim(user: string, id = 'desk') {
  const answer = await claimFor(store, user, { id, name: `the ${id}` });
  if (answer.outcome !== 'granted') throw new Error(answer.outcome);
  return answer;
}

describe('an org', () => {
  it('has settings of its own, each of which may be taken away again', async () => {
    await store.orgs.change(ORG, { quota: 5, licenseMode: 'auto', containers: 'allow' }, 'root');
    expect(await store.orgs.namesAfter('', 2)).toEqual([ORG]);
    const all = {
      quota: 5,
      licenseMode: 'auto',
      containers: 'allow',
      machines: null,
      addresses: null,
      timeZone: null,
      letterCase: null,
      maxActive: null,
      maxActiveOverdraft: null,
      minVersion: null,
      minVersionFrom: null,
      idleLimitMs: null,
      askWaitMs: null,
      askRefusal: null,
      leaveMaxMs: null,
      leaveReturn: null,
      sameMachine: null,
    };
    expect(await store.orgs.settings(ORG)).toEqual(all);
    await store.orgs.change(ORG, { quota: null }, 'root');
    expect(await store.orgs.settings(ORG)).toEqual({ ...all, quota: null });
  });

  it('keeps its quota at or above what is issued', async () => {
    await issue('ann', 'bob');
    const refused = { outcome: 'refused', reason: 'quota_below_issued', issued: 2 };
    expect(await store.orgs.change(ORG, { quota: 1 }, 'root')).toEqual(refused);
    expect((await store.orgs.settings(ORG)).quota).toBeNull();
    expect(await store.orgs.change(ORG, { quota: 2 }, 'root')).toEqual({ outcome: 'done' });
  });

  it('tells how it stands', async () => {
    await store.orgs.change(ORG, { quota: 10 }, 'root');
    await issue('ann', 'bob', 'cleo', 'dan');
    await store.licenses.suspend(order('bob'));
    await store.licenses.revoke(order('dan'));
    await claim('ann');
    await claim('ann', 'lap');
    await claim('cleo');
    expect(await store.orgs.counts(ORG)).toMatchObject({
      issued: 3,
      available: 7,
      suspended: 1,
      revoked: 1,
      active: 2,
      peak: 2,
      granted: 3,
      takeovers: 1,
      ended: { taken_over: 1 },
    });
  });

  it('of which version 0.1 summed nothing is in the totals from a takeover on', async () => {
    await claim('ann');
    const counters = await redis.client.hkeys(keys.counters(ORG));
    await redis.client.hdel(keys.counters(ORG), ...counters.filter((name) => name.startsWith('summed:')));
    await redis.client.del('soleseat:totals');
    await claim('ann', 'lap');
    const totals = await redis.client.hgetall('soleseat:totals');
    expect(totals).toMatchObject({ orgs: '1', active: '1', takeovers: '1' });
  });

  it('keeps lists of machines', async () => {
    await store.orgs.setMachineRule(ORG, 'm1', 'deny', 'root');
    await store.orgs.setMachineRule(ORG, 'm2', 'allow', 'root');
    await store.orgs.setMachineRule(ORG, 'm1', null, 'root');
    expect(await store.orgs.machineRules(ORG)).toEqual({ m2: 'allow' });
  });

  it('has what changes of its settings and machines in the audit trail', async () => {
    await store.orgs.change(ORG, { quota: 5, licenseMode: null }, 'root');
    await store.orgs.setMachineRule(ORG, 'm1', 'deny', 'ops');
    const { items } = await store.events.page(ORG, { type: 'org.changed' }, null, 5);
    expect(items.map(({ actor, details }) => [actor, details])).toEqual([
      ['ops', { 'machine:m1': 'deny' }],
      ['root', { quota: '5', licenseMode: '' }],
    ]);
  });
});

describe('live sessions', () => {
  it('are found by user, and tell who still owns the seat', async () => {
    const first = await claim('ann');
    const second = await claim('ann', 'lap');
    expect(await store.sessions.get(ORG, 'ann')).toMatchObject({ user: 'ann', machine: { id: 'lap' } });
    expect(await store.sessions.ownedBy(ORG, 'ann', first.sessionId, first.epoch)).toBeNull();
    expect(await store.sessions.ownedBy(ORG, 'ann', second.sessionId, second.epoch)).not.toBeNull();
    expect(await store.sessions.ownedBy(ORG, 'ann', second.sessionId, second.epoch + 1)).toBeNull();
    expect(await store.sessions.get(ORG, 'bob')).toBeNull();
  });

  it('come page by page, each once, and by the beginning of the user', async () => {
    await Promise.all(Array.from({ length: 700 }, (_, i) => claim(`user-${i}`)));
    await claim('other*');
    const seen: string[] = [];
    for (let cursor: string | null = null; ; ) {
      const page = await store.sessions.page(ORG, 'user-', cursor, 60);
      expect(page.items.length).toBeLessThanOrEqual(60);
      seen.push(...page.items.map(({ user }) => user));
      if (page.next === null) break;
      cursor = page.next;
    }
    expect(seen.sort()).toEqual(Array.from({ length: 700 }, (_, i) => `user-${i}`).sort());
    expect((await store.sessions.page(ORG, 'other*', null, 10)).items).toHaveLength(1);
    expect((await store.sessions.page(ORG, '*', null, 10)).items).toHaveLength(0);
  });
});

describe('live sessions of which some leave between two pages', () => {
  // Redis keeps a few in a list and many in a table, and walks through them in different ways.
  it.each([90, 700])('are each on one page, of those that stay: %i', async (count) => {
    const users = Array.from({ length: count }, (_, i) => `user-${i}`);
    await Promise.all(users.map((user) => claim(user)));
    const seen: string[] = [];
    for (let cursor: string | null = null, isFirst = true; isFirst || cursor !== null; isFirst = false) {
      const page = await store.sessions.page(ORG, '', cursor, 7);
      seen.push(...page.items.map(({ user }) => user));
      cursor = page.next;
      // All that were seen leave, the last one of the page among them.
      for (const { user } of page.items)
        await store.leases.evict({ ...order(user), reason: 'evicted_by_admin' });
    }
    expect(seen.sort()).toEqual(users.sort());
  });

  it('are there though their list becomes a table between two pages', async () => {
    const users = Array.from({ length: 90 }, (_, i) => `user-${i}`);
    await Promise.all(users.map((user) => claim(user)));
    const first = await store.sessions.page(ORG, '', null, 60);
    await Promise.all(Array.from({ length: 600 }, (_, i) => claim(`late-${i}`)));
    const seen = new Set(first.items.map(({ user }) => user));
    for (let cursor = first.next; cursor !== null; ) {
      const page = await store.sessions.page(ORG, '', cursor, 60);
      for (const { user } of page.items) seen.add(user);
      expect(page.items.length).toBeLessThanOrEqual(60);
      // What a step gave beyond the page stands in the cursor, which goes into an address.
      expect(page.next?.length ?? 0).toBeLessThan(500);
      cursor = page.next;
    }
    expect(users.filter((user) => !seen.has(user))).toEqual([]);
  });
});

describe('the audit trail', () => {
  it('has every change and every session event, with who, why and the epoch', async () => {
    await issue('ann');
    const { epoch, sessionId } = await claim('ann');
    await store.licenses.revoke({ ...order('ann'), note: 'left the company' });
    const { items } = await store.events.page(ORG, {}, null, 10);
    expect(items.map(({ type }) => type)).toEqual([
      'session.ended',
      'license.revoked',
      'session.granted',
      'license.issued',
    ]);
    expect(items[0]).toMatchObject({
      reason: 'license_revoked',
      actor: 'root',
      user: 'ann',
      machine: 'desk',
      epoch,
      sessionId,
    });
    expect(items[1]).toMatchObject({ actor: 'root', details: { note: 'left the company' } });
    expect(items[2]).toMatchObject({ actor: 'user', machine: 'desk', epoch });
  });

  it('is paged and filtered, and followed from where one stands', async () => {
    await issue('ann', 'bob', 'cleo');
    const first = await store.events.page(ORG, { type: 'license.issued' }, null, 2);
    expect(first.items.map(({ user }) => user)).toEqual(['cleo', 'bob']);
    const second = await store.events.page(ORG, { type: 'license.issued' }, first.next, 2);
    expect(second.items.map(({ user }) => user)).toEqual(['ann']);
    expect((await store.events.page(ORG, { user: 'bob' }, null, 5)).items).toHaveLength(1);
    const from = await store.events.lastId(ORG);
    await claim('ann');
    expect((await store.events.after(ORG, from)).map(({ type }) => type)).toEqual(['session.granted']);
  });
});

describe('a search of the audit trail', () => {
  it('is by machine and by reason too', async () => {
    await claim('ann', 'desk');
    await claim('ann', 'lap');
    await claim('bob', 'desk');
    const typesWith = async (filter: EventFilter) =>
      (await store.events.page(ORG, filter, null, 10)).items.map(({ user, type }) => `${user} ${type}`);
    expect(await typesWith({ machine: 'desk' })).toEqual([
      'bob session.granted',
      'ann session.ended',
      'ann session.granted',
    ]);
    expect(await typesWith({ machine: 'lap' })).toEqual(['ann session.granted']);
    expect(await typesWith({ reason: 'taken_over' })).toEqual(['ann session.ended']);
    expect(await typesWith({ reason: 'expired' })).toEqual([]);
  });
});

describe('machines of a user', () => {
  it('tell first and last seen, the name, and how often', async () => {
    await claim('ann', 'desk');
    await claim('ann', 'lap');
    await claim('ann', 'desk');
    const seen = await store.machines.of(ORG, 'ann');
    // Two claims of one millisecond have no order.
    expect(seen.map(({ machine, times }) => [machine.name, times]).sort()).toEqual([
      ['the desk', 2],
      ['the lap', 1],
    ]);
    expect(seen[0]?.lastSeen).toBeGreaterThanOrEqual(seen[0]?.firstSeen ?? Number.POSITIVE_INFINITY);
  });
});

describe('usage', () => {
  beforeEach(withinOneHour);

  it('is there by hour and by day', async () => {
    await issue('ann', 'bob');
    await claim('ann');
    await claim('ann', 'lap');
    await claim('bob');
    const nowMs = Date.now();
    const span = { fromMs: nowMs - 3_600_000, untilMs: nowMs + 1, timeZone: 'UTC' };
    const hours = await usageByHour(store.usage, ORG, span);
    expect(hours).toHaveLength(2);
    const sum = hours.reduce((total, row) => total + row.granted, 0);
    expect(sum).toBe(3);
    for (const timeZone of ['UTC', 'Asia/Kathmandu', 'America/Los_Angeles']) {
      const days = await usageByDay(store.usage, ORG, { ...span, timeZone });
      const now = { peak: 2, takeovers: 1, uniqueUsers: 2, wholeHours: false, usersOfUtcDay: false };
      expect(days.at(-1), timeZone).toMatchObject(now);
      const users = await uniqueUsersNow(store.usage, ORG, nowMs, timeZone);
      expect(users, timeZone).toEqual({ today: 2, thisMonth: 2 });
    }
  });

  it('tells the users of the month from those of the day', async () => {
    await redis.client.pfadd(keys.users(ORG, '2026-05-20'), 'ann');
    await redis.client.pfadd(keys.users(ORG, '2026-05-03'), 'ann', 'bob');
    await redis.client.pfadd(keys.users(ORG, '2026-04-30'), 'cleo');
    const nowMs = Date.parse('2026-05-20T12:00:00Z');
    expect(await uniqueUsersNow(store.usage, ORG, nowMs, 'UTC')).toEqual({ today: 1, thisMonth: 2 });
  });

  it('is kept for 400 days, its quarters for 40, whatever comes first in an hour', async () => {
    const nowMs = Date.now();
    const hour = keys.usage(ORG, hourOf(nowMs));
    const quarters = [keys.usageOfQuarter(ORG, quarterOf(nowMs)), keys.usersOfQuarter(ORG, quarterOf(nowMs))];
    const daysLeft = async (key: string) => (await redis.client.pttl(key)) / 86_400_000;
    await claim('ann');
    expect(await daysLeft(hour)).toBeGreaterThan(399);
    expect(await daysLeft(keys.users(ORG, hourOf(nowMs).slice(0, 10)))).toBeGreaterThan(399);
    expect(await daysLeft(keys.usersOfHour(ORG, hourOf(nowMs)))).toBeGreaterThan(399);
    for (const quarter of quarters) {
      expect(await daysLeft(quarter)).toBeGreaterThan(39);
      expect(await daysLeft(quarter)).toBeLessThanOrEqual(40);
    }
    // An hour in which a seat is only used.
    await redis.client.del(hour, ...quarters);
    await store.nodes.announce([ORG]);
    await store.sweeper.sweep(1);
    expect(await daysLeft(hour)).toBeGreaterThan(399);
  });

  it('counts time in use in the hour it fell in, though nobody comes or goes', async () => {
    await claim('ann');
    await store.nodes.announce([ORG]);
    await redis.client.hincrby(keys.counters(ORG), 'seatAt', -60_000);
    await store.sweeper.sweep(1);
    const [row] = await store.usage.hours(ORG, [Date.now()]);
    expect(row?.seatMs).toBeGreaterThanOrEqual(60_000);
    expect(row?.peak).toBe(1);
  });
});

describe('a recount', () => {
  it('begins again where a license changes meanwhile', async () => {
    await issue('ann', 'bob');
    let changes = 0;
    const changing = new Proxy(store.licenses, {
      get: (licenses, name) =>
        name !== 'page'
          ? Reflect.get(licenses, name)
          : async (...given: Parameters<typeof licenses.page>) => {
              const page = await licenses.page(...given);
              if (changes++ === 0) await licenses.suspend(order('bob'));
              return page;
            },
    });
    const parts = { licenses: changing, ledger: store.ledger };
    expect((await recount(parts, ORG, { repairBy: 'root' })).differences).toEqual([]);
    expect(changes).toBe(2);
  });

  it('repairs no counter that has changed since it was counted', async () => {
    await issue('ann');
    const was = { issued: 1 };
    await issue('bob');
    expect(await store.ledger.repair(ORG, was, { issued: 7 }, 'root')).toBe(false);
    expect((await store.orgs.counts(ORG)).issued).toBe(2);
    expect(await store.ledger.repair(ORG, { issued: 2 }, { issued: 7 }, 'root')).toBe(true);
    expect((await store.orgs.counts(ORG)).issued).toBe(7);
  });

  it('finds nothing where nothing is wrong', async () => {
    await issue('ann', 'bob', 'cleo');
    await store.licenses.suspend(order('bob'));
    await claim('ann');
    expect(await recount(store, ORG, { repairBy: null })).toEqual({
      licenses: 3,
      differences: [],
      repaired: false,
    });
  });

  it('names what is wrong, and repairs it on request', async () => {
    await issue('ann', 'bob');
    await claim('ann');
    await redis.client.hincrby(keys.counters(ORG), 'issued', 5);
    await redis.client.hincrby(keys.counters(ORG), 'granted', 1);
    const differences = [
      { counter: 'issued', stored: 7, counted: 2 },
      { counter: 'active', stored: 2, counted: 1 },
    ];
    expect(await recount(store, ORG, { repairBy: null })).toEqual({
      licenses: 2,
      differences,
      repaired: false,
    });
    expect(await recount(store, ORG, { repairBy: 'root' })).toEqual({
      licenses: 2,
      differences,
      repaired: true,
    });
    expect((await recount(store, ORG, { repairBy: null })).differences).toEqual([]);
    expect((await store.events.page(ORG, { type: 'org.counters_repaired' }, null, 5)).items).toHaveLength(1);
  });
});
