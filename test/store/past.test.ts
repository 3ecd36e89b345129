import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Log } from '../../src/base/log.js';
import { eventNamed, eventNames, eventTypes } from '../../src/protocol/event-types.js';
import type { StoredEvent } from '../../src/store/event-entries.js';
import { keyNames } from '../../src/store/keys.js';
import type { LeaseConfig } from '../../src/store/lease-types.js';
import { withinOneMinute } from '../support/calendar.js';
import { eventually } from '../support/eventually.js';
import { ForgetfulRedis } from '../support/failover.js';
import { issueTo, leaseFrom, ORG, requestFor, storeOn } from '../support/store.js';

const keys = keyNames('soleseat:');
const MINUTE_MS = 60_000;
let redis: ForgetfulRedis;

beforeAll(async () => {
  redis = await ForgetfulRedis.start();
});
beforeEach(() => redis.flush());
afterAll(() => redis.stop());

const storeWith = (more: Partial<LeaseConfig> = {}) => storeOn(redis.client, more);
const namesIn = (events: readonly StoredEvent[]) => events.map(({ type }) => type);
const namesOf = async (limit = 50) =>
  namesIn((await storeWith().events.page(ORG, {}, null, limit)).items).reverse();
const denied = (user: string, store = storeWith()) =>
  store.leases.claim(requestFor(user, { id: 'lap' }, { onConflict: 'deny' }));

/** Whoever looks at what is due, at once. */
async function sweep(store = storeWith()): Promise<void> {
  await redis.client.del(keys.sweepTurn);
  await redis.client.zadd('soleseat:due', 1, ORG);
  await store.sweeper.sweep(1);
}

/** As if the minute in which these refusals were counted were over. */
async function endMinute(user: string): Promise<void> {
  const entry = await redis.client.hget(keys.refused(ORG), user);
  const [minute, ...rest] = (entry ?? '').split(':');
  await redis.client.hset(keys.refused(ORG), user, [Number(minute) - 1, ...rest].join(':'));
}

describe('promise 14: the past cannot be washed away', () => {
  it('by sessions, refusals or an import: what people did is kept apart from them', async () => {
    const store = storeWith({ eventsKept: 50, claimsPerMinute: 20, takeoversPerMinute: 20 });
    await issueTo(store, 'ann');
    await store.orgs.change(ORG, { quota: 700 }, 'root');
    await store.licenses.revoke({ org: ORG, user: 'ann', actor: 'root', note: 'left the company' });
    for (let i = 0; i < 400; i++) {
      const user = `user-${i % 40}`;
      await store.leases.claim(requestFor(user, { id: `pc-${i}` }));
    }
    await Promise.all(Array.from({ length: 300 }, (_, i) => issueTo(store, `imported-${i}`)));
    const { items } = await store.events.page(ORG, { user: 'ann' }, null, 10);
    expect(items).toMatchObject([
      { type: 'license.revoked', actor: 'root', details: { note: 'left the company' } },
      { type: 'license.issued', actor: 'root' },
    ]);
    expect(await redis.client.xlen(keys.events(ORG))).toBeLessThan(200);
    expect(await redis.client.xlen(keys.acts(ORG))).toBe(303);
  });

  it('and has one event at once and one for the rest of what a user is refused in a minute', async () => {
    await withinOneMinute();
    await storeWith().leases.claim(requestFor('ann', { id: 'desk' }));
    for (let i = 0; i < 50; i++) await denied('ann');
    expect(await namesOf()).toEqual(['session.granted', 'session.denied']);
    await sweep();
    expect(await namesOf(), 'the minute is not over').toEqual(['session.granted', 'session.denied']);
    await endMinute('ann');
    await sweep();
    const { items } = await storeWith().events.page(ORG, { type: 'session.denied' }, null, 9);
    expect(items).toMatchObject([
      { user: 'ann', machine: 'lap', reason: 'conflict', details: { count: '49' } },
      { user: 'ann', machine: 'lap', reason: 'conflict', details: {} },
    ]);
    expect(await redis.client.exists(keys.refused(ORG))).toBe(0);
  });

  it('and has the rest of a minute too where the next refusal comes before anybody has looked', async () => {
    await withinOneMinute();
    await storeWith().leases.claim(requestFor('ann', { id: 'desk' }));
    for (let i = 0; i < 3; i++) await denied('ann');
    await endMinute('ann');
    await denied('ann');
    const { items } = await storeWith().events.page(ORG, { type: 'session.denied' }, null, 9);
    expect(items.map(({ details }) => ({ ...details }))).toEqual([{}, { count: '2' }, {}]);
  });

  it('is looked at when the minute of a refusal ends, though nobody has a seat', async () => {
    await denied('ann', storeWith({ licenseMode: 'required' }));
    expect(await redis.client.hlen(keys.refused(ORG))).toBe(1);
    const minute = Number((await redis.client.hget(keys.refused(ORG), 'ann'))?.split(':')[0]);
    expect(Number(await redis.client.zscore('soleseat:due', ORG))).toBe((minute + 1) * MINUTE_MS);
  });

  it('and of the refusals of very many users each is told, some at a time', async () => {
    const users = Array.from({ length: 3_000 }, (_, i) => `u${i}`);
    const entries = users.flatMap((user) => [user, '1:2:conflict:lap']);
    await redis.client.hset(keys.refused(ORG), ...entries);
    await storeWith().leases.claim(requestFor('ann', { id: 'desk' }));
    await sweep(storeWith({ eventsKept: 9_000 }));
    expect(await redis.client.exists(keys.refused(ORG))).toBe(0);
    const { items } = await storeWith({ eventsKept: 9_000 }).events.page(ORG, {}, null, 5_000);
    expect(new Set(items.flatMap(({ user, type }) => (type === 'session.denied' ? [user] : []))).size).toBe(
      3_000,
    );
  });
});

describe('users in the past', () => {
  const trail = async () => (await storeWith().events.page(ORG, {}, null, 50)).items;

  it('stand there by a random key, also the one a license goes to, and are read by their names', async () => {
    const store = storeWith();
    await issueTo(store, 'ann@example.com');
    await store.licenses.transfer({
      org: ORG,
      user: 'ann@example.com',
      to: 'bob@example.com',
      actor: 'root',
    });
    const request = requestFor('bob@example.com', { id: 'desk' });
    const held = leaseFrom(request, await store.leases.claim(request));
    await store.leases.release(held);
    await denied('carl', storeWith({ licenseMode: 'required' }));
    const written = JSON.stringify([
      await redis.client.xrange(keys.events(ORG), '-', '+'),
      await redis.client.xrange(keys.acts(ORG), '-', '+'),
    ]);
    for (const name of ['ann', 'bob', 'carl', 'example.com']) expect(written).not.toContain(name);
    expect([...(await trail())].reverse()).toMatchObject([
      { type: 'license.issued', user: 'ann@example.com' },
      { type: 'license.transferred', user: 'ann@example.com', details: { to: 'bob@example.com' } },
      { type: 'session.granted', user: 'bob@example.com' },
      { type: 'session.ended', user: 'bob@example.com' },
      { type: 'session.denied', user: 'carl' },
    ]);
    expect(await redis.client.hlen(keys.names(ORG))).toBe(3);
  });

  it('are forgotten with one row, their events still told apart; and renamed with one', async () => {
    for (const user of ['ann', 'bob', 'carl']) {
      await storeWith().leases.claim(requestFor(user, { id: 'desk' }));
      await storeWith().leases.claim(requestFor(user, { id: 'lap' }));
    }
    const keyOf = async (user: string) => (await redis.client.hget(keys.aliases(ORG), user)) ?? '';
    await redis.client.hdel(keys.names(ORG), await keyOf('ann'));
    await redis.client.hset(keys.names(ORG), await keyOf('bob'), 'robert');
    const events = await trail();
    const forgotten = events.filter(({ user }) => user === undefined);
    expect(forgotten).toHaveLength(3);
    expect(new Set(forgotten.map(({ userKey }) => userKey)).size).toBe(1);
    expect(forgotten[0]?.userKey).toMatch(/^[0-9a-f]{16}$/);
    expect(events.filter(({ user }) => user === 'robert')).toHaveLength(3);
    const { items } = await storeWith().events.page(ORG, { user: 'robert' }, null, 50);
    expect(items).toHaveLength(3);
    expect(JSON.stringify(events)).not.toMatch(/ann|bob/);
  });

  it('as an earlier version wrote them are read as they stand', async () => {
    await redis.client.xadd(keys.events(ORG), '*', 'at', '5', 'type', 'granted', 'user', 'ann', 'epoch', '7');
    expect(await trail()).toMatchObject([{ type: 'session.granted', user: 'ann', at: 5, epoch: 7 }]);
  });
});

describe('traffic beyond what is kept', () => {
  it('is told with for how long it is kept, and not before; once a day for each org', async () => {
    let nowMs = 0;
    const lines: { org: string; keptHours: number }[] = [];
    const log = { warn: (fields: (typeof lines)[number]) => lines.push(fields) } as unknown as Log;
    const store = storeOn(redis.client, { eventsKept: 20 }, () => nowMs, undefined, log);
    for (let i = 0; i < 19; i++) await store.leases.claim(requestFor(`u${i}`, { id: 'pc' }));
    await sweep(store);
    expect(lines).toEqual([]);
    await store.leases.claim(requestFor('one more', { id: 'pc' }));
    for (let i = 0; i < 3; i++) await sweep(store);
    expect(lines).toEqual([{ org: ORG, keptHours: 0 }]);
    nowMs += 86_400_000;
    await sweep(store);
    expect(lines).toHaveLength(2);
  });
});

describe('what is older than it is kept for', () => {
  const longAgo = (stream: string, id: string, type: string) =>
    redis.client.xadd(stream, id, 'type', type, 'at', '1');

  it('goes, also where nothing happens any more, and no sooner', async () => {
    await longAgo(keys.acts(ORG), '1-1', 'license.issued');
    await longAgo(keys.events(ORG), '1-2', 'session.granted');
    await sweep(storeWith({ sessionsKeptMs: 0, actsKeptMs: 0 }));
    expect(await namesOf()).toEqual(['license.issued', 'session.granted']);
    await sweep(storeWith({ sessionsKeptMs: MINUTE_MS, actsKeptMs: 0 }));
    expect(await namesOf()).toEqual(['license.issued']);
    await issueTo(storeWith(), 'ann');
    await storeWith().leases.claim(requestFor('ann', { id: 'desk' }));
    await sweep(storeWith({ sessionsKeptMs: MINUTE_MS, actsKeptMs: MINUTE_MS }));
    expect(await namesOf(), 'what is young stays').toEqual(['license.issued', 'session.granted']);
  });

  it('is looked at also where only people did something', async () => {
    await storeWith().orgs.change(ORG, { quota: 5 }, 'root');
    expect(Number(await redis.client.zscore('soleseat:due', ORG))).toBeGreaterThan(Date.now());
  });

  it('is no loss: a Redis that begins a reign after it has not gone back', async () => {
    const setbacks: object[] = [];
    const node = storeOn(redis.client, { sessionsKeptMs: 1 }, undefined, (one) => setbacks.push(one));
    const request = requestFor('ann', { id: 'desk' });
    await node.leases.release(leaseFrom(request, await node.leases.claim(request)));
    await eventually(async () => {
      await sweep(node);
      return (await redis.client.xlen(keys.events(ORG))) === 0;
    });
    await redis.newReign();
    await node.leases.claim(requestFor('ann', { id: 'lap' }));
    expect(setbacks).toEqual([]);
  });
});

describe('both halves of the past', () => {
  /** Grants, refusals, issues and settings in some order, many of them within a ms. */
  async function someTime(): Promise<void> {
    const store = storeWith();
    const steps = Array.from({ length: 60 }, (_, i) => async () => {
      if (i % 3 === 0) return issueTo(store, `u${i}`);
      if (i % 7 === 0) return store.orgs.change(ORG, { quota: 1000 + i }, 'root');
      return store.leases.claim(requestFor(`u${i % 10}`, { id: `pc${i}` }));
    });
    for (let i = 0; i < steps.length; i += 6) await Promise.all(steps.slice(i, i + 6).map((step) => step()));
  }

  it('are one list: each event once, whatever the size of a page', async () => {
    await someTime();
    const { events } = storeWith();
    const whole = (await events.page(ORG, {}, null, 500)).items;
    const inStreams = (await redis.client.xlen(keys.events(ORG))) + (await redis.client.xlen(keys.acts(ORG)));
    expect(whole).toHaveLength(inStreams);
    expect(new Set(whole.map(({ id }) => id)).size).toBe(inStreams);
    for (const size of [1, 2, 7, 50]) {
      const paged: StoredEvent[] = [];
      for (let cursor: string | null = null; ; ) {
        const page = await events.page(ORG, {}, cursor, size);
        paged.push(...page.items);
        cursor = page.next;
        if (cursor === null) break;
      }
      expect(paged, `pages of ${size}`).toEqual(whole);
    }
  });

  it('are followed without a gap, in looks of any size and from any event on', async () => {
    await someTime();
    const { events } = storeWith();
    const whole = [...(await events.page(ORG, {}, null, 500)).items].reverse();
    for (const size of [1, 3, 40, 500]) {
      const followed: StoredEvent[] = [];
      for (let id: string | undefined = '0-0'; id !== undefined; ) {
        const found: readonly StoredEvent[] = await events.after(ORG, id, size);
        followed.push(...found);
        id = found.at(-1)?.id;
      }
      expect(followed, `looks of ${size}`).toEqual(whole);
    }
    for (const [i, { id }] of whole.entries())
      expect(await events.after(ORG, id)).toEqual(whole.slice(i + 1));
    const last = await events.lastId(ORG);
    expect(last).toBe(whole.at(-1)?.id);
    await issueTo(storeWith(), 'late');
    expect(namesIn(await events.after(ORG, last))).toEqual(['license.issued']);
  });

  it('stand in the order in which things happened, also within one ms', async () => {
    const store = storeWith();
    for (let i = 0; i < 20; i++) {
      await issueTo(store, `u${i}`);
      await store.leases.claim(requestFor(`u${i}`, { id: 'desk' }));
      await store.licenses.suspend({ org: ORG, user: `u${i}`, actor: 'root' });
    }
    const ofEach = ['license.issued', 'session.granted', 'license.suspended', 'session.ended'];
    const { items } = await store.events.page(ORG, {}, null, 500);
    for (let i = 0; i < 20; i++)
      expect(namesIn(items.filter(({ user }) => user === `u${i}`).reverse())).toEqual(ofEach);
  });

  it('say who did it, and people at the desk with their role', async () => {
    const store = storeWith();
    const actor = { name: 'dora', role: 'admin' };
    await store.orgs.change(ORG, { quota: 50 }, actor);
    await issueTo(store, 'ann');
    await store.leases.claim(requestFor('ann', { id: 'desk' }));
    await store.licenses.suspend({ org: ORG, user: 'ann', actor });
    const { items } = await store.events.page(ORG, {}, null, 9);
    expect(items.map(({ type, actor: name, role }) => [type, name, role])).toEqual([
      ['session.ended', 'dora', 'admin'],
      ['license.suspended', 'dora', 'admin'],
      ['session.granted', 'user', undefined],
      ['license.issued', 'root', undefined],
      ['org.changed', 'dora', 'admin'],
    ]);
  });

  it('are searched by time and by who did it', async () => {
    const store = storeWith();
    await issueTo(store, 'ann');
    await store.leases.claim(requestFor('ann', { id: 'desk' }));
    const all = (await store.events.page(ORG, {}, null, 9)).items;
    const search = async (filter: object) => namesIn((await store.events.page(ORG, filter, null, 9)).items);
    expect(await search({ actor: 'root' })).toEqual(['license.issued']);
    expect(await search({ actor: 'user' })).toEqual(['session.granted']);
    const newestMs = Number(all[0]?.id.split('-')[0]);
    expect(await search({ untilMs: newestMs + 1 })).toEqual(namesIn(all));
    expect(await search({ fromMs: newestMs + 1 })).toEqual([]);
    for (const untilMs of [0, 1, 5]) expect(await search({ untilMs })).toEqual([]);
  });
});

describe('events of version 0.1', () => {
  it('are read under the new names, beside new ones', async () => {
    for (const name of eventNames) {
      const type = eventTypes[name];
      await redis.client.xadd(keys.events(ORG), '*', 'type', 'was' in type ? type.was : name);
    }
    const answer = await storeWith().leases.claim(requestFor('ann', { id: 'desk' }));
    expect(await namesOf()).toEqual([...eventNames, 'session.granted']);
    await storeWith().leases.release(leaseFrom(requestFor('ann', { id: 'desk' }), answer));
  });

  it('are asked for by either name, and by no other', () => {
    expect(eventNamed('session.granted')).toBe('session.granted');
    expect(eventNamed('granted')).toBe('session.granted');
    expect(eventNamed('toString')).toBeNull();
    expect(eventNamed('session')).toBeNull();
  });
});
