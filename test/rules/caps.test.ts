import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import { ask } from '../support/admin.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { adminTokenFor, PATIENT, startNode, tokenFor } from '../support/node.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();
let nodes: Broker[];
let orgs = 0;

beforeAll(async () => {
  nodes = [await startNode(redis.url, PATIENT), await startNode(redis.url, PATIENT)];
});
afterAll(async () => {
  for (const node of nodes ?? []) await node.stop();
});

const owner = adminTokenFor('owner');
const nodeAt = (index: number) => nodes[index % nodes.length] as Broker;

/** A new org with these settings. */
async function orgWith(settings: object): Promise<string> {
  orgs += 1;
  const org = `org${orgs}`;
  await change(org, settings);
  return org;
}

async function change(org: string, settings: object): Promise<void> {
  const answer = await ask(nodeAt(0), 'PATCH', `/v1/admin/orgs/${org}`, { body: settings, token: owner });
  expect(answer.status, answer.text).toBe(200);
}

async function dial(org: string, user: string, more: object = {}, at = 0, machine = 'pc'): Promise<Desktop> {
  const desktop = await Desktop.open(nodeAt(at).ports.public, tokenFor(user, org));
  desktop.say({ type: 'hello', machine: { id: machine, name: machine }, ...more });
  await desktop.until(() => desktop.find('welcome') !== undefined || desktop.closed !== null);
  return desktop;
}

const isIn = (desktop: Desktop) => desktop.find('welcome') !== undefined;

async function eventsOf(org: string, type: string) {
  const { body } = await ask(nodeAt(0), 'GET', `/v1/admin/orgs/${org}/events?type=${type}`);
  return body.items;
}

async function countsOf(org: string) {
  const { body } = await ask(nodeAt(0), 'GET', `/v1/admin/orgs/${org}`);
  return body.counts;
}

describe('a cap of seats', () => {
  it('lets in exactly so many of a thousand that come at once over two nodes, and tells the others why', async () => {
    const org = await orgWith({ maxActive: 20 });
    const users = Array.from({ length: 1000 }, (_, index) => `u${index}`);
    const all = await Promise.all(users.map((user, index) => dial(org, user, {}, index)));
    const out = all.filter((desktop) => !isIn(desktop));
    expect(out).toHaveLength(980);
    expect(new Set(out.map(({ closed }) => `${closed?.code} ${closed?.reason}`))).toEqual(
      new Set(['4515 seats_exhausted']),
    );
    const counts = await countsOf(org);
    expect(counts).toMatchObject({ active: 20, denials: { seats_exhausted: 980 }, overdrafts: 0 });
    expect(await eventsOf(org, 'org.seats_nearly_used')).toHaveLength(1);
    expect(await eventsOf(org, 'org.seats_exhausted')).toHaveLength(1);
    // A seat that is given back is one more person's.
    const left = all.find(isIn);
    left?.say({ type: 'release' });
    await left?.close();
    expect(isIn(await dial(org, 'late'))).toBe(true);
    expect(isIn(await dial(org, 'later'))).toBe(false);
    for (const desktop of all) desktop.ws.terminate();
  });

  it('never stands in the way of who has the seat: a resume, a takeover, a second program', async () => {
    const org = await orgWith({ maxActive: 1 });
    const first = await dial(org, 'ada');
    const { sessionId, epoch } = await first.told('welcome');
    first.ws.terminate();
    const resumed = await dial(org, 'ada', { onConflict: 'deny', resume: { sessionId, epoch } }, 1);
    expect((await resumed.told('welcome')).resumed).toBe(true);
    const taken = await dial(org, 'ada', {}, 0, 'laptop');
    expect(isIn(taken)).toBe(true);
    expect(await resumed.close()).toMatchObject({ code: 4509 });
    expect((await dial(org, 'bob')).closed).toMatchObject({ code: 4515 });
    await change(org, { maxActive: 0 });
    expect(isIn(await dial(org, 'ada', {}, 1, 'third'))).toBe(true);
    taken.ws.terminate();
  });

  it('has an overdraft, which is counted, told and ends too', async () => {
    const org = await orgWith({ maxActive: 10, maxActiveOverdraft: 25 });
    const desktops: Desktop[] = [];
    for (let index = 0; index < 14; index += 1) desktops.push(await dial(org, `u${index}`, {}, index));
    // A quarter of ten is two and a half: two more.
    expect(desktops.map(isIn)).toEqual([...Array(12).fill(true), false, false]);
    expect(await countsOf(org)).toMatchObject({ active: 12, overdrafts: 2, denials: { seats_exhausted: 2 } });
    const [overdrawn] = await eventsOf(org, 'org.seats_overdrawn');
    expect(overdrawn.details).toEqual({ active: '11', maxActive: '10' });
    for (const desktop of desktops) desktop.ws.terminate();
  });

  it('is the owner’s to set', async () => {
    for (const body of [{ maxActive: 5 }, { maxActiveOverdraft: 5 }, { maxActive: null }]) {
      const answer = await ask(nodeAt(0), 'PATCH', '/v1/admin/orgs/mine', {
        body,
        token: adminTokenFor('admin', 'mine'),
      });
      expect(answer.status).toBe(403);
      expect(answer.body.title).toContain(Object.keys(body)[0]);
    }
  });
});

describe('a least version', () => {
  const client = (version?: string, name: string | null = 'Editor') => ({
    client: { ...(name !== null && { name }), ...(version !== undefined && { version }) },
  });

  it.each([
    ['4.2', true],
    ['4.2.0', true],
    ['4.10', true],
    ['5', true],
    ['04.02', true],
    ['4.1.99', false],
    ['4', false],
    ['3.9', false],
    ['4.2-rc1', false],
    ['v4.2', false],
    ['latest', false],
    ['', false],
    [undefined, false],
  ])('of 4.2 meets %s: %s', async (version, mayCome) => {
    const org = await orgWith({ minVersion: { Editor: '4.2', Viewer: '1' } });
    const desktop = await dial(org, 'ada', client(version));
    expect(isIn(desktop)).toBe(mayCome);
    if (!mayCome) expect(desktop.closed).toEqual({ code: 4507, reason: 'client_too_old' });
    desktop.ws.terminate();
  });

  it('is of programs by name: another one may be of any version, one without a name may not', async () => {
    const org = await orgWith({ minVersion: { Editor: '4.2' } });
    expect(isIn(await dial(org, 'ada', client('0.1', 'Converter')))).toBe(true);
    for (const hello of [{}, client('9', null), { client: {} }])
      expect((await dial(org, 'bob', hello)).closed).toMatchObject({ code: 4507 });
  });

  it('is told of before it holds, and a session that runs is resumed when it does', async () => {
    const org = await orgWith({
      minVersion: { Editor: '4.2' },
      minVersionFrom: new Date(Date.now() + 3_600_000).toISOString(),
    });
    const early = await dial(org, 'ada', client('4.1'));
    const { sessionId, epoch } = await early.told('welcome');
    expect(await eventsOf(org, 'session.outdated')).toMatchObject([
      { user: 'ada', machine: 'pc', sessionId },
    ]);
    await change(org, { minVersionFrom: new Date(Date.now() - 1000).toISOString() });
    early.ws.terminate();
    const resume = { onConflict: 'deny', resume: { sessionId, epoch }, ...client('4.1') };
    expect((await (await dial(org, 'ada', resume, 1)).told('welcome')).resumed).toBe(true);
    expect((await dial(org, 'bob', client('4.1'))).closed).toMatchObject({ code: 4507 });
    await change(org, { minVersion: null, minVersionFrom: null });
    expect(isIn(await dial(org, 'bob', client('4.1')))).toBe(true);
  });

  it.each([{ Editor: '' }, { Editor: 'latest' }, { Editor: '4.' }, { Editor: 4 }, { '': '1' }, ['1'], '4.2'])(
    'that is %j is refused by its name',
    async (minVersion) => {
      const answer = await ask(nodeAt(0), 'PATCH', '/v1/admin/orgs/acme', {
        body: { minVersion },
        token: owner,
      });
      expect(answer.status).toBe(422);
      expect(answer.text).toContain('minVersion');
    },
  );
});

describe('an org that is suspended', () => {
  it('loses all its sessions, on every node, with one event each; no license changes, and it comes back whole', async () => {
    const org = await orgWith({ licenseMode: 'required' });
    const users = Array.from({ length: 250 }, (_, index) => `u${index}`);
    for (const user of users.slice(0, 3))
      await ask(nodeAt(0), 'POST', `/v1/admin/orgs/${org}/licenses`, { body: { user } });
    await change(org, { licenseMode: 'open' });
    const all = await Promise.all(users.map((user, index) => dial(org, user, {}, index)));
    const other = await orgWith({});
    const bystander = await dial(other, 'bystander');
    const path = `/v1/admin/orgs/${org}`;
    const suspended = await ask(nodeAt(0), 'POST', `${path}/suspend`, {
      token: owner,
      body: { note: 'unpaid' },
    });
    expect(suspended.body).toMatchObject({ ending: 250 });
    const closes = await Promise.all(all.map((desktop) => desktop.close()));
    expect(new Set(closes.map(({ code, reason }) => `${code} ${reason}`))).toEqual(
      new Set(['4511 org_suspended']),
    );
    expect(all.every((desktop) => desktop.find('evicted')?.reason === 'org_suspended')).toBe(true);
    expect((await dial(org, 'u1')).closed).toEqual({ code: 4511, reason: 'org_suspended' });
    expect(await countsOf(org)).toMatchObject({
      active: 0,
      issued: 3,
      suspended: 0,
      evictions: { org_suspended: 250 },
    });
    const [event] = await eventsOf(org, 'org.suspended');
    expect(event).toMatchObject({ actor: 'owner@*', details: { note: 'unpaid' } });
    expect((await ask(nodeAt(1), 'GET', path)).body.suspendedAt).toBe(suspended.body.suspendedAt);
    expect((await ask(nodeAt(1), 'POST', `${path}/suspend`, { token: owner, body: {} })).status).toBe(409);
    expect(bystander.closed).toBeNull();

    expect((await ask(nodeAt(1), 'POST', `${path}/reinstate`, { token: owner, body: {} })).status).toBe(200);
    expect((await ask(nodeAt(1), 'POST', `${path}/reinstate`, { token: owner, body: {} })).status).toBe(409);
    const back = await Promise.all(users.slice(0, 10).map((user) => dial(org, user)));
    expect(back.every(isIn)).toBe(true);
    expect(await countsOf(org)).toMatchObject({ active: 10, issued: 3 });
    expect((await ask(nodeAt(0), 'GET', path)).body.suspendedAt).toBeNull();
  });

  it('keeps out who holds on after Redis lost the lease', async () => {
    const org = await orgWith({});
    const desktop = await dial(org, 'ada');
    await desktop.told('welcome');
    await redis.client.del(`soleseat:{${org}}:lease:ada`, `soleseat:{${org}}:active`);
    await ask(nodeAt(0), 'POST', `/v1/admin/orgs/${org}/suspend`, { token: owner, body: {} });
    const channels = (await redis.client.pubsub('CHANNELS', 'soleseat:node:*')) as string[];
    for (const channel of channels)
      await redis.client.publish(channel, JSON.stringify({ type: 'verify', org }));
    expect(await desktop.close()).toEqual({ code: 4511, reason: 'org_suspended' });
  });

  it.each(['viewer', 'operator', 'admin'] as const)(
    'is the owner’s to suspend, not of a %s',
    async (role) => {
      for (const action of ['suspend', 'reinstate']) {
        const token = adminTokenFor(role, 'mine');
        const answer = await ask(nodeAt(0), 'POST', `/v1/admin/orgs/mine/${action}`, { token, body: {} });
        expect(answer.status).toBe(403);
      }
    },
  );

  it('is a crowd that comes while it is suspended: nobody is in at the end', async () => {
    const org = await orgWith({});
    const users = Array.from({ length: 100 }, (_, index) => `u${index}`);
    const dialled = users.map((user, index) => dial(org, user, {}, index));
    const suspend = ask(nodeAt(0), 'POST', `/v1/admin/orgs/${org}/suspend`, { token: owner, body: {} });
    const all = await Promise.all(dialled);
    expect((await suspend).status).toBe(200);
    await eventually(() => all.every(({ closed }) => closed !== null));
    expect(new Set(all.map(({ closed }) => closed?.reason))).toEqual(new Set(['org_suspended']));
    expect(await countsOf(org)).toMatchObject({ active: 0 });
  });
});
