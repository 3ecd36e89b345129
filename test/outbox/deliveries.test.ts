import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { monotonicMs } from '../../src/base/clock.js';
import { createLog } from '../../src/base/log.js';
import { createMetrics } from '../../src/base/metrics.js';
import { Deliveries, type DeliveriesParts } from '../../src/outbox/deliveries.js';
import { newSecret } from '../../src/outbox/message.js';
import { Sender } from '../../src/outbox/sender.js';
import type { EventName } from '../../src/protocol/event-types.js';
import { keyNames } from '../../src/store/keys.js';
import type { Webhook } from '../../src/store/webhooks.js';
import { eventually } from '../support/eventually.js';
import { ForgetfulRedis } from '../support/failover.js';
import { isSigned, type Received, Receiver } from '../support/receiver.js';
import { issueTo, leaseFrom, ORG, requestFor, storeOn } from '../support/store.js';

const keys = keyNames('soleseat:');
const index = keys.indexAt(null);
const hasty = { firstMs: 40, mostMs: 200, giveUpMs: 86_400_000 };
let redis: ForgetfulRedis;
let receiver: Receiver;
let running: Deliveries[] = [];
let ids = 0;

beforeAll(async () => {
  redis = await ForgetfulRedis.start();
});
beforeEach(async () => {
  await redis.flush();
  receiver = await Receiver.start();
});
afterEach(async () => {
  await Promise.all(running.map((one) => one.stop()));
  running = [];
  await receiver.stop();
});
afterAll(() => redis.stop());

const store = () => storeOn(redis.client, { eventsKept: 100_000 });

/** A node that delivers, as soon as it is its turn. */
function node(more: Partial<DeliveriesParts> = {}): Deliveries {
  const { webhooks, outbox } = store();
  ids += 1;
  const deliveries = new Deliveries({
    ...{ webhooks, outbox, nodeId: `n${ids}`, clock: monotonicMs, nowMs: Date.now, random: Math.random },
    sender: new Sender({ allowPrivate: true, wallMs: Date.now, timeoutMs: 2_000 }),
    ...{ log: createLog('silent', 'test'), metrics: createMetrics(), patience: hasty },
    ...more,
  });
  running.push(deliveries);
  deliveries.start();
  return deliveries;
}

async function webhook(more: Partial<Webhook> = {}): Promise<Webhook> {
  ids += 1;
  const made: Webhook = {
    ...{ id: `w${ids}`, url: receiver.url, description: '', types: null, orgs: null },
    secrets: [{ secret: newSecret(), untilMs: null }],
    ...{ state: 'active', reason: null, createdAtMs: Date.now() - 1 },
    ...more,
  };
  await store().webhooks.put(made);
  return made;
}

/** A user’s events: sessions that begin and end. */
async function play(user: string, sessions = 1): Promise<void> {
  for (let i = 0; i < sessions; i++) {
    const request = requestFor(user, { id: `pc-${i}` });
    await store().leases.release(leaseFrom(request, await store().leases.claim(request)));
  }
}
const eventIds = (some: readonly Received[], user: string) =>
  some.filter(({ data }) => data.user === user).map(({ data }) => data.id as string);
const trail = async (user: string) =>
  (await store().events.page(ORG, { user }, null, 500)).items.map(({ id }) => id).reverse();
/** As if the node had died: it does nothing more, and its turn ends. */
async function kill(one: Deliveries): Promise<void> {
  await one.stop();
  running = running.filter((other) => other !== one);
}

describe('a webhook', () => {
  it('gets what happens, signed, with the name of the user and the epoch as text', async () => {
    const { secrets } = await webhook();
    node();
    await issueTo(store(), 'ann');
    await play('ann');
    await eventually(() => receiver.accepted.length === 3);
    const [issued, granted, ended] = receiver.accepted;
    expect(issued).toMatchObject({ type: 'license.issued', data: { org: ORG, user: 'ann', actor: 'root' } });
    expect(granted).toMatchObject({
      type: 'session.granted',
      data: { user: 'ann', epoch: expect.any(String) },
    });
    expect(ended).toMatchObject({ type: 'session.ended', data: { reason: 'released', machine: 'pc-0' } });
    for (const one of receiver.received) {
      expect(isSigned(one, secrets[0]?.secret ?? '')).toBe(true);
      expect(isSigned(one, newSecret())).toBe(false);
      expect(one.id).not.toContain('.');
      expect(Date.parse(JSON.parse(one.body).timestamp)).toBeGreaterThan(Date.now() - 60_000);
    }
  });

  it('gets the types and orgs that it asked for, and nothing from before it was there', async () => {
    await store().webhooks.tellWhatIsWanted([]);
    await issueTo(store(), 'before');
    await webhook({ types: ['license.issued'], orgs: [ORG], createdAtMs: Date.now() });
    await webhook({ url: `${receiver.url}?other`, types: ['license.revoked'], orgs: ['globex'] });
    await play('ann');
    await issueTo(store(), 'ann');
    await store().licenses.issue({ org: 'globex', user: 'ann', id: 'l', requestId: 'g', actor: 'root' });
    expect(await redis.client.xlen(index.outbox), 'the rest is not even written').toBe(1);
    node();
    await eventually(() => receiver.accepted.length > 0);
    await issueTo(store(), 'last');
    await eventually(() => receiver.accepted.length > 1);
    expect(receiver.received.map(({ type, data }) => [type, data.user])).toEqual([
      ['license.issued', 'ann'],
      ['license.issued', 'last'],
    ]);
  });

  it('gets each user’s events in order, though some must be tried again; those of others do not wait', async () => {
    await webhook();
    const failures = new Map<string, number>();
    receiver.answer = ({ id, data }) => {
      if (data.user === 'stuck') return 500;
      if (data.user !== 'slow') return 204;
      failures.set(id, (failures.get(id) ?? 0) + 1);
      return (failures.get(id) ?? 0) <= 2 ? 503 : 204;
    };
    node();
    for (let round = 0; round < 5; round++)
      for (const user of ['stuck', 'slow', 'fast', 'other']) await play(user);
    await eventually(() => eventIds(receiver.accepted, 'slow').length === 10);
    for (const user of ['slow', 'fast', 'other']) {
      expect(eventIds(receiver.accepted, user), user).toEqual(await trail(user));
    }
    expect(new Set(eventIds(receiver.received, 'stuck')), 'only its first is tried').toEqual(
      new Set((await trail('stuck')).slice(0, 1)),
    );
    receiver.answer = () => 204;
    await eventually(() => eventIds(receiver.accepted, 'stuck').length === 10);
    expect(eventIds(receiver.accepted, 'stuck')).toEqual(await trail('stuck'));
  });

  it('puts an event aside after a day, goes on with the next, and sends it again when it is asked to', async () => {
    const { id } = await webhook();
    receiver.answer = ({ type }) => (type === 'session.granted' ? 500 : 204);
    node({ patience: { ...hasty, giveUpMs: 300 } });
    await play('ann');
    await eventually(() => receiver.accepted.some(({ type }) => type === 'session.ended'));
    const { items } = await store().outbox.parked(id, null, 10);
    expect(items).toMatchObject([
      { org: ORG, event: { type: 'session.granted', user: 'ann' }, error: 'HTTP 500' },
    ]);
    expect(items[0]?.attempts).toBeGreaterThan(1);
    expect(await store().outbox.counts(id)).toMatchObject({ parked: 1 });
    receiver.answer = () => 204;
    expect(await store().outbox.replay(id, null)).toBe(1);
    await eventually(() => receiver.accepted.some(({ type }) => type === 'session.granted'));
    expect(await store().outbox.counts(id)).toMatchObject({ parked: 0 });
    const replayed = receiver.accepted.find(({ type }) => type === 'session.granted');
    expect(replayed?.id, 'under the same id').toBe(
      receiver.received.find(({ type }) => type === 'session.granted')?.id,
    );
  });

  it('is parked when too much waits for it, and an event says so; what waits comes when it is resumed', async () => {
    const made = await webhook({ orgs: [ORG] });
    const owners = await webhook({ url: `${receiver.url}/owners`, types: ['webhook.parked'] });
    receiver.answer = ({ type }) => (type === 'webhook.parked' ? 204 : 500);
    // More than are under way at once.
    for (let i = 0; i < 60; i++) await play(`user-${i}`);
    node({ waitingAtMost: 20 });
    await eventually(async () => (await store().webhooks.get(made.id))?.state === 'parked');
    expect(await store().webhooks.get(made.id)).toMatchObject({ reason: 'too_many_waiting' });
    await eventually(() => receiver.accepted.some(({ type }) => type === 'webhook.parked'));
    expect(receiver.accepted[0]?.data).toMatchObject({ org: '*', details: { webhook: made.id } });
    expect((await store().webhooks.get(owners.id))?.state).toBe('active');
    receiver.answer = () => 204;
    await store().webhooks.put({ ...made, state: 'active' });
    await eventually(() => receiver.accepted.filter(({ data }) => data.org === ORG).length === 120);
    expect((await store().webhooks.get(made.id))?.state, 'and it is not parked again').toBe('active');
  });

  it('that says that it is gone is parked at once; a paused one gets what waited when it goes on', async () => {
    const made = await webhook();
    receiver.answer = () => 410;
    // Before: what happens once it is parked is not for it.
    await play('ann');
    node();
    await eventually(async () => (await store().webhooks.get(made.id))?.reason === 'gone');
    receiver.answer = () => 204;
    await store().webhooks.put({ ...made, state: 'paused' });
    await play('bob');
    await eventually(async () => (await redis.client.hget(keys.webhookState('', made.id), 'after')) !== null);
    // What was under way when it was parked may still come.
    expect(receiver.received.filter(({ data }) => data.user === 'bob')).toEqual([]);
    await store().webhooks.put({ ...made, state: 'active' });
    // Beside them it may be told of its own parking.
    await eventually(() => receiver.accepted.filter(({ data }) => data.org === ORG).length === 4);
  });

  it('is signed with the old secret too while that is good, and no longer', async () => {
    const [first, second, last] = [newSecret(), newSecret(), newSecret()];
    const secrets = [
      { secret: last, untilMs: null },
      { secret: second, untilMs: Date.now() + 3_600_000 },
      { secret: first, untilMs: Date.now() - 1 },
    ];
    await webhook({ secrets });
    node();
    await play('ann');
    await eventually(() => receiver.accepted.length === 2);
    const [one] = receiver.accepted;
    expect([last, second, first].map((secret) => one && isSigned(one, secret))).toEqual([true, true, false]);
  });

  it('is asked again when it says, and a redirect leads nowhere', async () => {
    await webhook();
    const elsewhere = await Receiver.start();
    const tries: number[] = [];
    receiver.answer = () => {
      tries.push(Date.now());
      if (tries.length === 1) return { status: 307, headers: { location: elsewhere.url } };
      return tries.length === 2 ? { status: 503, headers: { 'retry-after': '1' } } : 204;
    };
    node();
    await play('ann');
    await eventually(() => receiver.accepted.length === 2);
    expect(elsewhere.received).toEqual([]);
    expect((tries[2] ?? 0) - (tries[1] ?? 0)).toBeGreaterThanOrEqual(990);
    await elsewhere.stop();
  });

  it('in a private network gets nothing, unless a setting says so; nor by a name that leads there', async () => {
    const { id } = await webhook({ url: receiver.url.replace('127.0.0.1', 'localhost') });
    node({ sender: new Sender({ allowPrivate: false, wallMs: Date.now }) });
    await play('ann');
    await eventually(async () => JSON.stringify(await store().outbox.progress(index, id)) !== 'null');
    await eventually(async () => {
      const progress = await store().outbox.progress(index, id);
      return [...(progress?.waiting.values() ?? [])].some(({ error }) => /no public address/.test(error));
    });
    expect(receiver.received).toEqual([]);
  });
});

describe('nodes that deliver', () => {
  it('take turns: each event comes once, and what is left comes from the next node, in order', async () => {
    await webhook();
    const first = node();
    const second = node();
    for (let i = 0; i < 5; i++) await play('ann');
    await eventually(() => receiver.received.length === 10);
    await kill(first);
    for (let i = 0; i < 5; i++) await play('ann');
    await eventually(() => receiver.accepted.length === 20);
    await kill(second);
    node();
    await play('ann', 5);
    await eventually(() => receiver.accepted.length === 30);
    expect(eventIds(receiver.accepted, 'ann')).toEqual(await trail('ann'));
    expect(receiver.received.length, 'none twice').toBe(30);
  });

  it('lose nothing and keep the order where one dies with deliveries under way', async () => {
    await webhook();
    receiver.answer = ({ data }) => (data.user === 'u3' && Math.random() < 0.4 ? 500 : 204);
    receiver.delayMs = 20;
    const users = Array.from({ length: 8 }, (_, i) => `u${i}`);
    // It loses its turn, and what it knows, at a moment of no choice.
    let isDead = false;
    const dying = node({ clock: () => (isDead ? Number.POSITIVE_INFINITY : monotonicMs()) });
    const playing = Promise.all(users.map((user) => play(user, 10)));
    await eventually(() => receiver.received.length > 40);
    isDead = true;
    await redis.client.del(keys.outboxTurn);
    node();
    await playing;
    await eventually(() => receiver.accepted.length === 160);
    for (const user of users) expect(eventIds(receiver.accepted, user), user).toEqual(await trail(user));
    await kill(dying);
  });

  it('leave nothing behind in the outbox, and follow a Redis that has lost it', async () => {
    await webhook();
    node();
    await play('ann', 10);
    await eventually(() => receiver.accepted.length === 20);
    await eventually(async () => (await redis.client.xlen(index.outbox)) <= 1);
    await redis.client.del(index.outbox);
    // As after a failover to a server whose clock is behind.
    const behind = `${Date.now() - 3_600_000}-0`;
    await redis.client.xadd(
      ...([index.outbox, behind, 'org', ORG, 'id', '1-1', 'at', '1', 'type', 'license.issued'] as const),
    );
    await eventually(() => receiver.accepted.some(({ data }) => data.id === '1-1'));
  });
});

describe('what comes', () => {
  const types = async () => {
    const { items } = await store().events.page(ORG, {}, null, 50);
    return items.map(({ type }) => type as EventName).reverse();
  };
  async function sweep(): Promise<void> {
    await redis.client.del(keys.sweepTurn);
    await redis.client.zadd('soleseat:due', 1, ORG);
    await store().sweeper.sweep(1);
  }
  const soon = async () =>
    (await store().events.page(ORG, { type: 'license.expires_soon' }, null, 50)).items.map(
      ({ user, details }) => `${user} ${'days' in details ? details.days : ''}`,
    );
  const DAY_MS = 86_400_000;

  it('is told 30, 7 and 1 days before a license ends, each once, of many that end at one moment too', async () => {
    const endMs = Date.now() + 40 * DAY_MS;
    const users = Array.from({ length: 300 }, (_, i) => `u${i}`);
    for (const user of users) await issueTo(store(), user, { expiresAt: endMs });
    await sweep();
    expect(await soon()).toEqual([]);
    const dueMs = Number(await redis.client.zscore('soleseat:due', ORG));
    expect(dueMs, 'somebody looks in time').toBeLessThanOrEqual(endMs - 30 * DAY_MS);
    // As if ten days had gone: the end is nearer by so much.
    for (const user of users) {
      await redis.client.hset(keys.license(ORG, user), 'expiresAt', String(endMs - 10.5 * DAY_MS));
      await redis.client.zadd(keys.reminders(ORG), Date.now() - 1, user);
    }
    await sweep();
    await sweep();
    expect((await soon()).length).toBe(50);
    const { items } = await store().events.page(ORG, { type: 'license.expires_soon' }, null, 500);
    expect(new Set(items.map(({ user }) => user)).size).toBe(300);
    expect(items).toHaveLength(300);
    const next = Number(await redis.client.zscore(keys.reminders(ORG), 'u7'));
    expect(Math.abs(next - (endMs - 17.5 * DAY_MS))).toBeLessThan(1_000);
  });

  it('is not told of a license that is suspended, revoked or has another end by then', async () => {
    for (const user of ['ann', 'bob', 'carl', 'dora'])
      await issueTo(store(), user, { expiresAt: Date.now() + 40 * DAY_MS });
    const order = (user: string) => ({ org: ORG, user, actor: 'root' });
    await store().licenses.suspend(order('ann'));
    await store().licenses.revoke(order('bob'));
    await store().licenses.setExpiry({ ...order('carl'), expiresAt: null });
    await store().licenses.transfer({ ...order('dora'), to: 'eve' });
    for (const user of await redis.client.zrange(keys.reminders(ORG), '0', '-1'))
      await redis.client.zadd(keys.reminders(ORG), 1, user);
    await sweep();
    expect(await soon()).toEqual(['eve 40']);
    await store().licenses.setExpiry({ ...order('carl'), expiresAt: Date.now() + 6.5 * DAY_MS });
    await redis.client.zadd(keys.reminders(ORG), 1, 'carl');
    await sweep();
    expect(await soon()).toEqual(['carl 7', 'eve 40']);
  });

  it('is told once for each crossing of 90 % and of all of the quota', async () => {
    await store().orgs.change(ORG, { quota: 20 }, 'root');
    for (let i = 0; i < 17; i++) await issueTo(store(), `u${i}`);
    const told = async () => (await types()).filter((type) => type.startsWith('org.quota'));
    expect(await told()).toEqual([]);
    await issueTo(store(), 'u17');
    await issueTo(store(), 'u18');
    expect(await told()).toEqual(['org.quota_nearly_used']);
    await issueTo(store(), 'u19');
    expect(await told()).toEqual(['org.quota_nearly_used', 'org.quota_exhausted']);
    await store().licenses.revoke({ org: ORG, user: 'u0', actor: 'root' });
    await issueTo(store(), 'u0');
    expect((await told()).slice(2)).toEqual(['org.quota_exhausted']);
    await store().orgs.change(ORG, { quota: 100 }, 'root');
    await store().orgs.change(ORG, { quota: 21 }, 'root');
    expect((await told()).slice(3)).toEqual(['org.quota_nearly_used']);
    await store().orgs.change(ORG, { quota: null }, 'root');
    expect((await told()).length).toBe(4);
  });
});
