import { beforeEach, describe, expect, it, vi } from 'vitest';
import { recount } from '../../src/license/recount.js';
import { StoreUnavailable } from '../../src/store/errors.js';
import { keyNames } from '../../src/store/keys.js';
import type { License, LicenseAnswer } from '../../src/store/license-types.js';
import { BadCursor } from '../../src/store/paging.js';
import type { Store } from '../../src/store/store.js';
import { eventually } from '../support/eventually.js';
import { useRedis } from '../support/redis.js';
import { claimFor, issueTo, leaseFrom, ORG, orderFor, requestFor, storeOn } from '../support/store.js';

const keys = keyNames('soleseat:');
const redis = useRedis();
let store: Store;
/** Long enough for a slow machine to do what comes before the end. */
const SOON_MS = 1_500;

beforeEach(async () => {
  await redis.client.flushall();
  store = storeOn(redis.client, { licenseMode: 'required' });
});

const order = orderFor;
const issue = (user: string, more: Parameters<typeof issueTo>[2] = {}) => issueTo(store, user, more);
const claim = (user: string, id = 'desk') => claimFor(store, user, { id });
async function hold(user: string) {
  const request = requestFor(user, { id: 'desk' });
  return leaseFrom(request, await store.leases.claim(request));
}

function licenseIn(answer: LicenseAnswer): License {
  if (answer.outcome !== 'done') throw new Error(`refused: ${answer.reason}`);
  return answer.license;
}

const counters = () => redis.client.hgetall(keys.counters(ORG));
const eventTypes = async () =>
  (await redis.client.xrange(keys.acts(ORG), '-', '+')).map(
    ([, fields]) => fields[fields.indexOf('type') + 1],
  );
const refused = (reason: string) => ({ outcome: 'refused', reason });

describe('issue', () => {
  it('gives a user one license, and tells the second who asks that there is one', async () => {
    const both = await Promise.all([issue('ann'), issue('ann')]);
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(['done', 'refused']);
    expect(both).toContainEqual({ ...refused('exists'), status: 'active' });
    expect(await counters()).toMatchObject({ issued: '1' });
    expect(await eventTypes()).toEqual(['license.issued']);
    expect((await claim('ann')).outcome).toBe('granted');
  });

  it('never passes the quota, with a thousand at once', async () => {
    await redis.client.hset(keys.settings(ORG), 'quota', '300');
    const answers = await Promise.all(Array.from({ length: 1_000 }, (_, i) => issue(`u${i}`)));
    expect(answers.filter(({ outcome }) => outcome === 'done')).toHaveLength(300);
    expect(
      answers.filter((one) => one.outcome === 'refused' && one.reason === 'quota_exhausted'),
    ).toHaveLength(700);
    expect(await redis.client.zcard(keys.licensed(ORG))).toBe(300);
    expect(await counters()).toMatchObject({ issued: '300' });
  });

  it('answers a repeated request from the record', async () => {
    const first = await issue('ann', { requestId: 'same' });
    expect(await issue('ann', { requestId: 'same' })).toEqual(first);
    expect(await counters()).toMatchObject({ issued: '1' });
  });

  it('keeps to whom a request id belongs for as long as its answer may be kept', async () => {
    const isSame = (print: string) => store.licenses.isSameRequest(ORG, 'q', print);
    expect([await isSame('first'), await isSame('other')]).toEqual([true, false]);
    const key = keys.request(ORG, 'q-print');
    await redis.client.pexpire(key, 60_000);
    expect(await isSame('other')).toBe(false);
    expect(await redis.client.pttl(key)).toBeLessThanOrEqual(60_000);
    // A day less a minute later the first attempt is made once more, and its answer kept for a day.
    expect(await isSame('first')).toBe(true);
    await issue('ann', { requestId: 'q' });
    expect(await redis.client.pttl(key)).toBeGreaterThan(await redis.client.pttl(keys.request(ORG, 'q')));
  });

  it('refuses an end that has passed', async () => {
    expect(await issue('ann', { expiresAt: 1 })).toMatchObject(refused('expires_in_the_past'));
    expect(await store.licenses.get(ORG, 'ann')).toBeNull();
  });
});

describe('what takes the right away', () => {
  it.each([
    ['suspend', 'license_suspended'],
    ['revoke', 'license_revoked'],
  ] as const)(
    '%s ends the session with a tombstone, once, and refuses the next claim',
    async (act, reason) => {
      await issue('ann');
      const held = await hold('ann');
      const { sessionId } = held;
      const answer = await store.licenses[act](order('ann'));
      expect(answer).toMatchObject({ outcome: 'done', endedSessionId: sessionId });
      expect(await store.licenses[act](order('ann'))).toMatchObject(refused('wrong_status'));
      expect(await counters()).toMatchObject({ [`ended:${reason}`]: '1' });
      expect(await redis.client.zcard(keys.active(ORG))).toBe(0);
      expect(await claim('ann')).toEqual({ outcome: 'denied', reason });
      expect(await store.leases.renew(ORG, [held])).toMatchObject([{ outcome: 'lost', reason }]);
    },
  );

  it('transfer keeps the license id, ends the former session, and lets nobody bring it back', async () => {
    const { id } = licenseIn(await issue('ann'));
    const held = await hold('ann');
    const { sessionId } = held;
    const answer = await store.licenses.transfer({ ...order('ann'), to: 'bob' });
    expect(answer).toMatchObject({
      outcome: 'done',
      license: { user: 'bob', id },
      endedSessionId: sessionId,
    });
    expect(await store.leases.renew(ORG, [held])).toMatchObject([
      { outcome: 'lost', reason: 'license_revoked' },
    ]);
    expect(await claim('ann')).toEqual({ outcome: 'denied', reason: 'license_required' });
    expect(await claim('bob')).toMatchObject({ outcome: 'granted', license: { id } });
    expect(await counters()).toMatchObject({ issued: '1' });
    expect(await redis.client.zrange(keys.licensed(ORG), '0', '-1')).toEqual(['bob']);
  });

  it('transfer moves the end too: the new user is out when it comes; and the audit trail tells of it', async () => {
    await issue('ann', { expiresAt: Date.now() + SOON_MS });
    await store.licenses.transfer({ ...order('ann'), to: 'bob', note: 'moved on' });
    const { items } = await store.events.page(ORG, { type: 'license.transferred' }, null, 5);
    expect(items).toMatchObject([{ user: 'ann', actor: 'root', details: { to: 'bob', note: 'moved on' } }]);
    expect((await claim('bob')).outcome).toBe('granted');
    await store.nodes.announce([ORG]);
    await eventually(async () => {
      await redis.client.del(keys.sweepTurn);
      await store.sweeper.sweep(1);
      return (await store.sessions.get(ORG, 'bob')) === null;
    });
    expect((await store.licenses.get(ORG, 'bob'))?.status).toBe('expired');
  });

  it('transfer to a user who has a license changes nothing', async () => {
    await issue('ann');
    await issue('bob');
    expect(await store.licenses.transfer({ ...order('ann'), to: 'bob' })).toMatchObject(refused('exists'));
    expect((await store.licenses.get(ORG, 'ann'))?.status).toBe('active');
  });

  it('a revoked license frees its place, and a new one may be issued', async () => {
    await redis.client.hset(keys.settings(ORG), 'quota', '1');
    const first = licenseIn(await issue('ann'));
    await store.licenses.revoke(order('ann'));
    expect((await issue('bob')).outcome).toBe('done');
    await store.licenses.revoke(order('bob'));
    const second = licenseIn(await issue('ann'));
    expect(second.id).not.toBe(first.id);
    expect((await claim('ann')).outcome).toBe('granted');
  });

  it('reinstate gives the right back, and past its end the license is expired', async () => {
    await issue('ann');
    await store.licenses.suspend(order('ann'));
    expect(await counters()).toMatchObject({ suspended: '1' });
    expect(licenseIn(await store.licenses.reinstate(order('ann'))).status).toBe('active');
    await store.licenses.suspend(order('ann'));
    await store.licenses.setExpiry({ ...order('ann'), expiresAt: 1 });
    expect(licenseIn(await store.licenses.reinstate(order('ann'))).status).toBe('expired');
    expect(await counters()).toMatchObject({ suspended: '0', expired: '1', issued: '1' });
  });
});

describe('an import that fails', () => {
  it('leaves no license where there was none, and a revoked one as it was', async () => {
    await issue('ann');
    await store.licenses.revoke({ ...order('ann'), note: 'left' });
    const before = await store.licenses.get(ORG, 'ann');
    await store.imports.begin(ORG, 'i1', 'root');
    for (const user of ['ann', 'bob']) expect((await issue(user, { importId: 'i1' })).outcome).toBe('done');
    expect((await claim('ann')).outcome).toBe('granted');
    await store.imports.undo(ORG, 'i1', 'root');
    expect(await store.licenses.get(ORG, 'ann')).toEqual(before);
    expect(await store.licenses.get(ORG, 'bob')).toBeNull();
    expect(await claim('ann')).toEqual({ outcome: 'denied', reason: 'license_revoked' });
    expect(await store.orgs.counts(ORG)).toMatchObject({ issued: 0, revoked: 1, active: 0 });
  });
});

describe('a license of a running import that is transferred', () => {
  it('is left alone when the import fails; the former user has what was revoked before', async () => {
    await issue('ann');
    await store.licenses.revoke(order('ann'));
    const before = await store.licenses.get(ORG, 'ann');
    await store.imports.begin(ORG, 'i1', 'root');
    for (const user of ['ann', 'cleo']) await issue(user, { importId: 'i1' });
    const { id } = licenseIn(await store.licenses.transfer({ ...order('ann'), to: 'bob' }));
    await store.licenses.transfer({ ...order('cleo'), to: 'dan' });
    expect(await store.licenses.get(ORG, 'ann')).toEqual(before);
    expect(await store.licenses.get(ORG, 'cleo')).toBeNull();
    await store.imports.undo(ORG, 'i1', 'root');
    expect(await store.licenses.get(ORG, 'bob')).toMatchObject({ id, status: 'active' });
    expect(await store.orgs.counts(ORG)).toMatchObject({ issued: 2, revoked: 1 });
    expect(await redis.client.zrange(keys.revoked(ORG), '0', '-1')).toEqual(['ann']);
    expect((await recount(store, ORG, { repairBy: null })).differences).toEqual([]);
  });
});

describe('with the memory of Redis full', () => {
  it('what ends a session goes on, and so does the undoing of an import', async () => {
    for (const user of ['ann', 'bob']) {
      await issue(user);
      await claim(user);
    }
    await store.imports.begin(ORG, 'i1', 'root');
    await issue('cleo', { importId: 'i1' });
    await redis.client.config('SET', 'maxmemory', '1');
    try {
      const later = { ...order('ann'), expiresAt: Date.now() + 60_000 };
      await expect(store.licenses.setExpiry(later)).rejects.toBeInstanceOf(StoreUnavailable);
      const ended = [
        await store.licenses.setExpiry({ ...order('ann'), expiresAt: 1 }),
        await store.licenses.transfer({ ...order('bob'), to: 'dan' }),
      ];
      expect(ended).toMatchObject([
        { endedSessionId: expect.any(String) },
        { endedSessionId: expect.any(String) },
      ]);
      await store.imports.undo(ORG, 'i1', 'root');
    } finally {
      await redis.client.config('SET', 'maxmemory', '0');
    }
    expect(await store.licenses.get(ORG, 'cleo')).toBeNull();
    expect(await redis.client.exists(keys.imports(ORG))).toBe(0);
  });
});

describe('expiry', () => {
  it('ends the session of a license whose time has come, once, though two nodes sweep', async () => {
    await issue('ann', { expiresAt: Date.now() + SOON_MS });
    expect((await claim('ann')).outcome).toBe('granted');
    const sweepers = [store.sweeper, storeOn(redis.client, { nodeId: 'n2' }).sweeper];
    await store.nodes.announce([ORG]);
    await eventually(async () => {
      await redis.client.del(keys.sweepTurn);
      await Promise.all(sweepers.map((one) => one.sweep(1)));
      return (await store.licenses.get(ORG, 'ann'))?.status === 'expired';
    });
    expect(await counters()).toMatchObject({ 'ended:license_expired': '1', expired: '1', issued: '1' });
    expect(await claim('ann')).toEqual({ outcome: 'denied', reason: 'license_expired' });
  });

  it('may be moved, also into the past, and cleared', async () => {
    await issue('ann');
    await claim('ann');
    const past = await store.licenses.setExpiry({ ...order('ann'), expiresAt: 1 });
    expect(past).toMatchObject({ license: { status: 'expired' } });
    expect(await counters()).toMatchObject({ 'ended:license_expired': '1' });
    const cleared = await store.licenses.setExpiry({ ...order('ann'), expiresAt: null });
    expect(cleared).toMatchObject({ license: { status: 'active', expiresAt: null } });
    expect(await counters()).toMatchObject({ expired: '0' });
    expect((await claim('ann')).outcome).toBe('granted');
  });
});

describe('a hold', () => {
  it('keeps an evicted user out until it ends or is lifted', async () => {
    await issue('ann');
    await claim('ann');
    const evict = { ...order('ann'), reason: 'evicted_by_admin' } as const;
    expect(await store.leases.evict({ ...evict, holdMs: 60_000 })).not.toBeNull();
    expect(await claim('ann')).toEqual({ outcome: 'denied', reason: 'evicted_by_admin' });
    await store.leases.evict({ ...evict, holdMs: 0 });
    expect((await claim('ann')).outcome).toBe('granted');
  });
});

describe('machines', () => {
  it('on the deny list are refused, and with a list only those on it come in', async () => {
    await issue('ann');
    await redis.client.hset(keys.settings(ORG), 'machine:lost-laptop', 'deny', 'machine:desk', 'allow');
    expect(await claim('ann', 'lost-laptop')).toEqual({ outcome: 'denied', reason: 'machine_not_allowed' });
    expect((await claim('ann', 'any')).outcome).toBe('granted');
    await redis.client.hset(keys.settings(ORG), 'machines', 'listed');
    expect(await claim('ann', 'any')).toEqual({ outcome: 'denied', reason: 'machine_not_allowed' });
    expect((await claim('ann', 'desk')).outcome).toBe('granted');
  });
});

describe('lists', () => {
  it.each(['in many milliseconds', 'in one'])(
    'give every license once, page by page, also when some leave meanwhile; issued %s',
    async (when) => {
      for (let i = 0; i < 25; i++) await issue(`u${i}`);
      // As an import issues them, which writes many in a millisecond.
      const issuedAt = Date.now();
      for (let i = 0; i < 25; i++)
        await redis.client.zadd(keys.licensed(ORG), when === 'in one' ? issuedAt : issuedAt + i, `u${i}`);
      const first = await store.licenses.page(ORG, { revoked: false }, null, 10);
      const last = first.items.at(-1)?.user ?? '';
      await store.licenses.revoke(order(last));
      const second = await store.licenses.page(ORG, { revoked: false }, first.next, 10);
      const third = await store.licenses.page(ORG, { revoked: false }, second.next, 10);
      expect(third.next).toBeNull();
      const seen = [first, second, third].flatMap(({ items }) => items.map(({ user }) => user));
      const all = Array.from({ length: 25 }, (_, i) => `u${i}`);
      expect(seen).toEqual(when === 'in one' ? all.sort() : all);
      const revoked = await store.licenses.page(ORG, { revoked: true }, null, 10);
      expect(revoked.items.map(({ user, status }) => [user, status])).toEqual([[last, 'revoked']]);
    },
  );

  it('of one status give each once, page by page, without reading the others one by one', async () => {
    await Promise.all(Array.from({ length: 900 }, (_, i) => issue(`u${i}`)));
    const suspended = Array.from({ length: 9 }, (_, i) => `u${i * 100 + 50}`);
    for (const user of suspended) await store.licenses.suspend(order(user));
    const reads = vi.spyOn(redis.client, 'evalsha');
    const seen: string[] = [];
    for (let cursor: string | null = null, isFirst = true; isFirst || cursor !== null; isFirst = false) {
      const page = await store.licenses.pageWithStatus(ORG, { status: 'suspended' }, cursor, 2);
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map(({ user }) => user));
      // The next page goes on, though the last one seen has left.
      if (seen.length === 4) await store.licenses.revoke(order(seen[3] ?? ''));
      cursor = page.next;
    }
    expect(reads.mock.calls.length).toBeLessThan(20);
    reads.mockRestore();
    expect(seen.sort()).toEqual(suspended.sort());
  });

  it('refuse a cursor that is none', async () => {
    const broken = store.licenses.page(ORG, { revoked: false }, 'xyz', 10);
    await expect(broken).rejects.toBeInstanceOf(BadCursor);
  });

  it('tell what was not used for long, but for what is in use', async () => {
    for (const user of ['ann', 'bob', 'cleo']) await issue(user);
    await claim('bob');
    await redis.client.zadd(keys.used(ORG), 1, 'ann', 2, 'bob');
    const { items } = await store.licenses.unused(ORG, Date.now() - 60_000, null, 10);
    expect(items.map(({ user }) => user)).toEqual(['ann']);
  });
});

describe('peak and time in use', () => {
  it('are exact, whoever comes and goes', async () => {
    for (const user of ['ann', 'bob', 'cleo']) await issue(user);
    await claim('ann');
    await claim('bob');
    await claim('bob', 'lap');
    await store.licenses.revoke(order('ann'));
    await claim('cleo');
    const { peak, seatMs, seatAt } = await counters();
    expect(peak).toBe('2');
    await redis.client.hset(keys.counters(ORG), 'seatAt', String(Number(seatAt) - 3_600_000));
    await store.licenses.revoke(order('bob'));
    const gained = Number((await counters()).seatMs) - Number(seatMs ?? 0);
    expect(gained).toBeGreaterThanOrEqual(2 * 3_600_000);
    expect(gained).toBeLessThan(2 * 3_700_000);
  });
});
