import { generateKeyPairSync } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Tickets, ticketRingFromText } from '../../src/auth/tickets.js';
import { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { ask } from '../support/admin.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { adminTokenFor, keys, startNode, testSettings, tokenFor } from '../support/node.js';
import { testRedis } from '../support/redis.js';

const HOUR_MS = 3_600_000;
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ring = ticketRingFromText(String(privateKey.export({ type: 'pkcs8', format: 'pem' })));
const tickets = new Tickets(ring, 'soleseat');
const org = '/v1/admin/orgs/acme';
const owner = adminTokenFor('owner');

let redis: RedisProcess;
let client: Redis;
let nodes: Broker[];
let users = 0;

async function nodeOn(url: string): Promise<Broker> {
  const node = new Broker(testSettings(url), keys, { ticketKeys: ring });
  await node.start();
  return node;
}

beforeAll(async () => {
  redis = await testRedis(['--appendonly', 'yes']);
  client = new Redis(redis.url);
  nodes = [await nodeOn(redis.url), await nodeOn(redis.url)];
  await setRules({ leaveMaxMs: 8 * HOUR_MS });
});
afterEach(async () => setRules({ leaveMaxMs: 8 * HOUR_MS }));
afterAll(async () => {
  client?.disconnect();
  for (const node of nodes ?? []) await node.stop();
  await redis?.stop();
});

const nodeAt = (at: number) => nodes[at] as Broker;
const newUser = () => `user${++users}`;
const setRules = async (body: object) => {
  expect((await ask(nodeAt(0), 'PATCH', org, { body, token: owner })).status).toBe(200);
};

async function seat(user: string, more: object = {}, at = 0, machine = 'laptop'): Promise<Desktop> {
  const desktop = await Desktop.hello(nodeAt(at).ports.public, user, machine, more);
  await desktop.until(() => desktop.received.length > 0 || desktop.closed !== null);
  return desktop;
}

async function leave(user: string, forMs = HOUR_MS, more: object = {}) {
  const desktop = await seat(user, more);
  desktop.say({ type: 'leave', forMs });
  const left = await desktop.told('left');
  expect(await desktop.close()).toEqual({ code: 1000, reason: 'left' });
  return { ...left, welcome: await desktop.told('welcome') };
}

const eventsOf = async (user: string) => {
  const { body } = await ask(nodeAt(0), 'GET', `${org}/events?user=${user}`);
  return body.items.reverse();
};
const typesOf = async (user: string) => (await eventsOf(user)).map(({ type }: { type: string }) => type);
const sessionOf = async (user: string) => (await ask(nodeAt(1), 'GET', `${org}/sessions/${user}`)).body;

describe('a seat that is taken along', () => {
  it('has a ticket of this machine and session, is in use without a connection, and is shown', async () => {
    const user = newUser();
    const { ticket, forMs, welcome } = await leave(user, 2 * HOUR_MS);
    expect(forMs).toBe(2 * HOUR_MS);
    const claims = tickets.read(ticket);
    expect(claims).toMatchObject({ user, org: 'acme', machineId: 'laptop', sessionId: welcome.sessionId });
    expect(claims?.epoch).toBeGreaterThan(welcome.epoch);
    const session = await sessionOf(user);
    expect(session).toMatchObject({ sessionId: welcome.sessionId, machine: { id: 'laptop' } });
    expect(Math.abs(Date.parse(session.onLeaveUntil) - (claims?.expiresAtMs ?? 0))).toBeLessThan(1001);
    const { body } = await ask(nodeAt(0), 'GET', `${org}/sessions?onLeave=true`);
    expect(body.items.map((one: { user: string }) => one.user)).toContain(user);
    // Longer than a lease and than a renewal interval: nothing shortens it.
    await new Promise((resolve) => setTimeout(resolve, 4000));
    expect((await sessionOf(user)).ttlMs).toBeGreaterThan(HOUR_MS);
    expect(await typesOf(user)).toEqual(['session.granted', 'leave.begun']);
  });

  it('is for no longer than the org lets, and no longer than the license', async () => {
    await setRules({ leaveMaxMs: HOUR_MS });
    expect((await leave(newUser(), 5 * HOUR_MS)).forMs).toBe(HOUR_MS);
    const user = newUser();
    const expiresAt = new Date(Date.now() + 600_000).toISOString();
    await ask(nodeAt(0), 'POST', `${org}/licenses`, { body: { user, expiresAt } });
    const { forMs } = await leave(user, 5 * HOUR_MS);
    expect(forMs).toBeLessThanOrEqual(600_000);
    expect(forMs).toBeGreaterThan(500_000);
  });

  it('ends by itself, and is free then', async () => {
    const user = newUser();
    await leave(user, 1200);
    await eventually(async () => (await typesOf(user)).includes('session.ended'));
    expect((await eventsOf(user)).at(-1)).toMatchObject({ reason: 'expired' });
    expect((await seat(user, {}, 1, 'workstation')).find('welcome')).toBeDefined();
  });

  it.each(['takeover', 'ask', 'deny'])(
    'lets nobody else in by %s, and tells until when',
    async (onConflict) => {
      const user = newUser();
      const { ticket } = await leave(user);
      const other = await seat(user, { onConflict }, 1, 'workstation');
      const conflict = await other.told('conflict');
      expect(conflict.holder.machine).toEqual({ name: 'laptop' });
      const untilMs = conflict.holder.onLeaveUntil ?? 0;
      expect(Math.abs(untilMs - (tickets.read(ticket)?.expiresAtMs ?? 0))).toBeLessThan(1001);
      if (onConflict !== 'deny') expect(await other.told('error')).toMatchObject({ code: 'on_leave' });
      other.say({ type: 'takeover' });
      await eventually(() => other.received.some((one) => one.type === 'error' && one.code === 'on_leave'));
      expect(other.closed).toBeNull();
      // The machine comes back, gives the seat back, and whoever waits hears of it.
      const back = await seat(user, { onConflict: 'deny' });
      back.say({ type: 'release' });
      await other.told('seat_free');
    },
  );

  it('is the machine’s again with its next hello, whatever process says it: the same session', async () => {
    const user = newUser();
    const { welcome } = await leave(user, HOUR_MS, { instance: 'one', attempt: 9 });
    const back = await seat(user, { instance: 'two', attempt: 1, onConflict: 'deny' }, 1);
    const again = await back.told('welcome');
    expect(again).toMatchObject({ sessionId: welcome.sessionId, resumed: true });
    expect((await sessionOf(user)).onLeaveUntil).toBeNull();
    expect((await sessionOf(user)).ttlMs).toBeLessThanOrEqual(3000);
    expect(await typesOf(user)).toEqual(['session.granted', 'leave.begun', 'session.resumed']);
    // It is a session like any other: another machine may take it.
    await (await seat(user, {}, 0, 'workstation')).told('welcome');
    expect((await back.close()).code).toBe(4509);
  });

  it('counts: a recount finds nothing, during the leave, after it and after a forced end', async () => {
    const [one, other] = [newUser(), newUser()];
    await leave(one);
    await leave(other);
    await ask(nodeAt(0), 'POST', `${org}/sessions/${other}/evict`, { body: { forced: true } });
    const { body } = await ask(nodeAt(0), 'POST', `${org}/recount`, { body: {} });
    expect(body.differences).toEqual([]);
  });
});

describe('what is not to be had', () => {
  it.each([
    ['the org does not let anybody', async () => setRules({ leaveMaxMs: null }), 'leave_not_allowed'],
    ['for no time at all', async () => {}, 'leave_not_allowed'],
  ])('where %s, the session goes on', async (what, prepare, code) => {
    await prepare();
    const user = newUser();
    const desktop = await seat(user);
    desktop.say({ type: 'leave', forMs: what.startsWith('for') ? 0 : HOUR_MS });
    expect((await desktop.told('error')).code).toBe(code);
    const leases = () => desktop.received.filter(({ type }) => type === 'lease').length;
    const seen = leases();
    await eventually(() => leases() > seen + 1 || desktop.closed !== null);
    expect(desktop.closed).toBeNull();
  });

  it('where the broker has no key', async () => {
    const keyless = await startNode(redis.url);
    const desktop = await Desktop.hello(keyless.ports.public, newUser(), 'laptop');
    await desktop.told('welcome');
    desktop.say({ type: 'leave', forMs: HOUR_MS });
    expect((await desktop.told('error')).code).toBe('leave_not_allowed');
    await keyless.stop();
  });

  it('a leave of nonsense is a bad message, and no leave', async () => {
    const desktop = await seat(newUser());
    desktop.say({ type: 'leave' });
    desktop.say({ type: 'leave', forMs: -1 });
    await eventually(() => desktop.received.filter(({ type }) => type === 'error').length === 2);
    expect(desktop.closed).toBeNull();
  });
});

describe('what the desk does during a leave', () => {
  const orders = ['suspend', 'revoke', 'transfer', 'expiry', 'evict', 'hold'] as const;
  const give = (user: string, order: (typeof orders)[number], more: object = {}) => {
    if (order === 'transfer')
      return ask(nodeAt(0), 'POST', `${org}/licenses/${user}/transfer`, {
        body: { to: `${user}-new`, ...more },
      });
    if (order === 'expiry')
      return ask(nodeAt(0), 'PUT', `${org}/licenses/${user}/expiry`, {
        body: { expiresAt: '2020-01-01', ...more },
      });
    if (order === 'evict' || order === 'hold') {
      const body = { ...(order === 'hold' && { holdMs: 60_000 }), ...more };
      return ask(nodeAt(0), 'POST', `${org}/sessions/${user}/evict`, { body });
    }
    return ask(nodeAt(0), 'POST', `${org}/licenses/${user}/${order}`, { body: more });
  };

  it.each(orders)('%s is answered 409 until when, and does it when it is forced', async (order) => {
    const user = newUser();
    await ask(nodeAt(0), 'POST', `${org}/licenses`, { body: { user } });
    const { ticket } = await leave(user);
    const endMs = tickets.read(ticket)?.expiresAtMs ?? 0;
    const refused = await give(user, order);
    expect(refused.status, refused.text).toBe(409);
    expect(refused.body.code).toBe('on_leave');
    expect(Math.abs(Date.parse(refused.body.leaveUntil) - endMs)).toBeLessThan(1001);
    expect((await sessionOf(user)).onLeaveUntil).not.toBeNull();
    expect((await give(user, order, { forced: true })).status).toBe(200);
    const ended = (await eventsOf(user)).find(({ type }: { type: string }) => type === 'session.ended');
    expect(Math.abs(Number(ended.details.ticketEndsAt) - endMs)).toBeLessThan(1001);
    // The fence outlives the ticket: nothing puts the leave back.
    expect(await client.pttl(`soleseat:{acme}:fence:${user}`)).toBeGreaterThan(24 * HOUR_MS + 600_000);
    const back = await seat(user, { ticket, onConflict: 'deny' });
    // Without a license the org of these tests lets everybody in.
    if (order === 'evict' || order === 'transfer') expect((await back.told('welcome')).resumed).toBe(false);
    else expect(back.closed ?? (await back.close())).toMatchObject({ code: expect.any(Number) });
    expect((await typesOf(user)).includes('leave.overlapped')).toBe(false);
  });

  it('suspending the org ends no leave, and lets nobody back in', async () => {
    await ask(nodeAt(0), 'PATCH', '/v1/admin/orgs/globex', { body: { leaveMaxMs: HOUR_MS }, token: owner });
    expect((await ask(nodeAt(0), 'GET', '/v1/admin/orgs/globex')).body.settings.leaveMaxMs).toBe(HOUR_MS);
  });
});

describe('a leave that Redis lost', () => {
  const lose = async (user: string) => {
    await client.del(`soleseat:{acme}:lease:${user}`, `soleseat:{acme}:fence:${user}`);
    await client.zrem('soleseat:{acme}:active', user);
    await client.hdel('soleseat:{acme}:held', user);
  };

  it('is proved by its ticket: the same session, put back', async () => {
    const user = newUser();
    const { ticket, welcome } = await leave(user);
    await lose(user);
    const back = await (await seat(user, { ticket, onConflict: 'deny' }, 1)).told('welcome');
    expect(back).toMatchObject({ sessionId: welcome.sessionId, resumed: true });
    expect((await typesOf(user)).at(-1)).toBe('session.reasserted');
  });

  it.each([
    ['of another user', async (user: string) => (await leave(`${user}-other`)).ticket],
    ['of another machine', async (user: string) => tickets.sign({ ...claimsFor(user), machineId: 'other' })],
    ['of another org', async (user: string) => tickets.sign({ ...claimsFor(user), org: 'globex' })],
    [
      'that has ended',
      async (user: string) => tickets.sign({ ...claimsFor(user), expiresAtMs: Date.now() - 2000 }),
    ],
    [
      'of a welcome, with a nonce',
      async (user: string) => tickets.sign({ ...claimsFor(user), nonce: 'n'.repeat(16) }),
    ],
    ['of nobody', async () => 'not.a.ticket'],
  ])('is not proved by a ticket %s: then it is a new session', async (_, make) => {
    const user = newUser();
    const ticket = await make(user);
    const back = await (await seat(user, { ticket })).told('welcome');
    expect(back.resumed).toBe(false);
  });

  const claimsFor = (user: string) => ({
    ...{ user, org: 'acme', machineId: 'laptop' },
    ...{ sessionId: '01932000-0000-7000-8000-000000000000', epoch: 9_000_000_000_000_000 },
    ...{ issuedAtMs: Date.now(), expiresAtMs: Date.now() + HOUR_MS },
  });

  it('and that another machine has by now, is told: both may have worked', async () => {
    const user = newUser();
    const { ticket, welcome } = await leave(user);
    await lose(user);
    const other = await seat(user, {}, 1, 'workstation');
    await other.told('welcome');
    const back = await seat(user, { ticket, onConflict: 'deny' });
    await back.told('conflict');
    const overlapped = (await eventsOf(user)).find(
      ({ type }: { type: string }) => type === 'leave.overlapped',
    );
    expect(overlapped).toMatchObject({
      machine: 'laptop',
      sessionId: welcome.sessionId,
      details: { by: 'workstation' },
    });
  });
});

describe('two machines around the moment of leaving', () => {
  it.each([0, 1, 2, 3, 4])('have one outcome (round %i)', async () => {
    const user = newUser();
    const holder = await seat(user);
    holder.say({ type: 'leave', forMs: HOUR_MS });
    const other = await seat(user, {}, 1, 'workstation');
    await holder.close();
    if (holder.find('left') !== undefined) {
      await other.told('conflict');
      expect((await sessionOf(user)).machine.id).toBe('laptop');
    } else {
      expect(holder.find('evicted')?.reason).toBe('taken_over');
      await other.told('welcome');
      expect((await sessionOf(user)).machine.id).toBe('workstation');
    }
  });
});

describe('where a failover would lose it', () => {
  it('without an append-only file and replicas it is turned back, and the session goes on', async () => {
    const plain = await testRedis();
    const node = await nodeOn(plain.url);
    await ask(node, 'PATCH', org, { body: { leaveMaxMs: HOUR_MS } });
    const desktop = await Desktop.hello(node.ports.public, 'ada', 'laptop');
    const { sessionId, epoch } = await desktop.told('welcome');
    desktop.say({ type: 'leave', forMs: HOUR_MS });
    expect((await desktop.told('error')).code).toBe('store_unavailable');
    await eventually(() => desktop.epoch > epoch || desktop.closed !== null);
    expect(desktop.closed).toBeNull();
    const { body } = await ask(node, 'GET', `${org}/sessions/ada`);
    expect(body).toMatchObject({ sessionId, onLeaveUntil: null });
    desktop.say({ type: 'release' });
    expect(await desktop.close()).toEqual({ code: 1000, reason: 'released' });
    await node.stop();
    await plain.stop();
  });

  it('with a replica that hears nothing it is turned back; with one that does it is left', async () => {
    const master = await testRedis();
    const replica = await testRedis(['--replicaof', '127.0.0.1', String(master.port)]);
    const node = await nodeOn(master.url);
    const look = new Redis(master.url);
    await eventually(async () => /state=online/.test(await look.info('replication')));
    await ask(node, 'PATCH', org, { body: { leaveMaxMs: HOUR_MS } });
    const desktop = await Desktop.hello(node.ports.public, 'ada', 'laptop');
    await desktop.told('welcome');
    replica.kill('SIGSTOP');
    desktop.say({ type: 'leave', forMs: HOUR_MS });
    expect((await desktop.told('error')).code).toBe('store_unavailable');
    expect(desktop.closed).toBeNull();
    replica.kill('SIGCONT');
    await eventually(async () => /state=online,offset=\d+,lag=[01]\b/.test(await look.info('replication')));
    desktop.say({ type: 'leave', forMs: HOUR_MS });
    await desktop.told('left');
    look.disconnect();
    await node.stop();
    await replica.stop();
    await master.stop();
  });
});

it('beside a takeover at the same moment either holds or gives way, and both machines are told which', async () => {
  for (let round = 0; round < 20; round++) {
    const user = newUser();
    const holder = await seat(user, {}, round % 2);
    const other = await Desktop.open(nodeAt((round + 1) % 2).ports.public, tokenFor(user));
    const takes = () => other.say({ type: 'hello', machine: { id: 'workstation' } });
    // Each is first now and then.
    if (round % 4 < 2) holder.say({ type: 'leave', forMs: HOUR_MS });
    takes();
    if (round % 4 >= 2) holder.say({ type: 'leave', forMs: HOUR_MS });
    await holder.close();
    await other.until(() => other.received.length > 0 || other.closed !== null);
    const hasLeft = holder.find('left') !== undefined;
    if (hasLeft) {
      expect(other.find('welcome')).toBeUndefined();
      expect((await other.told('conflict')).holder.onLeaveUntil).toBeGreaterThan(Date.now());
    } else {
      expect((await holder.told('evicted')).reason).toBe('taken_over');
      await other.told('welcome');
    }
    const lease = (await client.get(`soleseat:{acme}:lease:${user}`)) ?? '';
    expect(lease.includes('"leave":')).toBe(hasLeft);
    other.ws.terminate();
  }
});
