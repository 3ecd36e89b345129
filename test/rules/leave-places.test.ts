import { generateKeyPairSync } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ticketRingFromText } from '../../src/auth/tickets.js';
import { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { ask } from '../support/admin.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { adminTokenFor, keys, testSettings } from '../support/node.js';
import { testRedis } from '../support/redis.js';

const HOUR_MS = 3_600_000;
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ring = ticketRingFromText(String(privateKey.export({ type: 'pkcs8', format: 'pem' })));
const owner = adminTokenFor('owner');
const org = '/v1/admin/orgs/acme';

let redis: RedisProcess;
let client: Redis;
let node: Broker;

beforeAll(async () => {
  redis = await testRedis(['--appendonly', 'yes']);
  client = new Redis(redis.url);
});
beforeEach(async () => {
  await client.flushall();
  node = new Broker(testSettings(redis.url), keys, { ticketKeys: ring });
  await node.start();
});
afterEach(() => node.stop());
afterAll(async () => {
  client?.disconnect();
  await redis?.stop();
});

async function call(method: string, path: string, body: object = {}): Promise<void> {
  const answer = await ask(node, method, `${org}${path}`, { body, token: owner });
  expect(answer.status, answer.text).toBeLessThan(300);
}
const setRules = (body: object) => call('PATCH', '', { leaveMaxMs: 8 * HOUR_MS, ...body });
const issue = (user: string) => ask(node, 'POST', `${org}/licenses`, { body: { user }, token: owner });
const countsOf = async () => (await ask(node, 'GET', org, { token: owner })).body.counts;

/** What a claim of the user leads to: `welcome`, or the reason of the close. */
async function claim(user: string, machine = 'laptop'): Promise<Desktop> {
  const desktop = await Desktop.hello(node.ports.public, user, machine);
  await desktop.until(() => desktop.received.length > 0 || desktop.closed !== null);
  return desktop;
}
const outcomeOf = (desktop: Desktop) =>
  desktop.find('welcome') === undefined ? (desktop.closed?.reason ?? 'waiting') : 'welcome';
async function tryOut(user: string): Promise<string> {
  const desktop = await claim(user);
  await desktop.until(() => desktop.find('welcome') !== undefined || desktop.closed !== null);
  const outcome = outcomeOf(desktop);
  if (outcome === 'welcome') {
    desktop.say({ type: 'release' });
    await desktop.close();
  }
  return outcome;
}

async function takeAlong(user: string, forMs = HOUR_MS): Promise<void> {
  const desktop = await claim(user);
  await desktop.told('welcome');
  desktop.say({ type: 'leave', forMs });
  await desktop.told('left');
  await desktop.close();
}

describe('a leave that is ended by force', () => {
  it('keeps its seat until the end of the ticket, from everybody but its user', async () => {
    await setRules({ maxActive: 2 });
    await takeAlong('ada');
    await call('POST', '/sessions/ada/evict', { forced: true });
    const ben = await claim('ben');
    await ben.told('welcome');
    expect(await tryOut('joan')).toBe('seats_exhausted');
    // Her own place is hers, whatever machine she comes from; it counts once while she is in.
    const ada = await claim('ada', 'workstation');
    await ada.told('welcome');
    expect(await tryOut('joan')).toBe('seats_exhausted');
    ada.say({ type: 'release' });
    await ada.close();
    expect(await tryOut('joan')).toBe('seats_exhausted');
    ben.say({ type: 'release' });
    await ben.close();
    expect(await tryOut('joan')).toBe('welcome');
  });

  it('frees it with the ticket', async () => {
    await setRules({ maxActive: 1 });
    await takeAlong('ada', 3000);
    await call('POST', '/sessions/ada/evict', { forced: true });
    expect(await tryOut('joan')).toBe('seats_exhausted');
    await eventually('the ticket has ended', async () => (await tryOut('joan')) === 'welcome');
    await eventually(async () => (await client.exists('soleseat:{acme}:seats-kept')) === 0);
  });

  it('keeps its place in the quota where the license is revoked, and shows it', async () => {
    await setRules({ quota: 2 });
    expect((await issue('ada')).status).toBe(201);
    await takeAlong('ada', 8000);
    await call('POST', '/licenses/ada/revoke', { forced: true });
    expect(await countsOf()).toMatchObject({ issued: 0, kept: 1, available: 1 });
    expect((await issue('ben')).status).toBe(201);
    const refused = await issue('joan');
    expect([refused.status, refused.body.code]).toEqual([409, 'quota_exhausted']);
    // The place is the user's own.
    expect((await issue('ada')).status).toBe(201);
    expect(await countsOf()).toMatchObject({ issued: 2, kept: 0, available: 0 });
    // Taken back once more, without a leave: the ticket is still out.
    await call('POST', '/licenses/ada/revoke');
    expect(await countsOf()).toMatchObject({ issued: 1, kept: 1, available: 0 });
    await eventually('the ticket has ended', async () => (await issue('joan')).status === 201);
    expect(await countsOf()).toMatchObject({ kept: 0 });
    const { body } = await ask(node, 'POST', `${org}/recount`, { body: {}, token: owner });
    expect(body.differences).toEqual([]);
  });

  it('keeps it for the longest of several tickets', async () => {
    await setRules({ maxActive: 1, quota: 1 });
    expect((await issue('ada')).status).toBe(201);
    for (const forMs of [HOUR_MS, 1500]) {
      await takeAlong('ada', forMs);
      await call('POST', '/sessions/ada/evict', { forced: true });
    }
    await call('POST', '/licenses/ada/revoke');
    const sinceMs = performance.now();
    await eventually('the short one has ended', () => performance.now() - sinceMs > 1700);
    await setRules({ licenseMode: 'open' });
    expect(await tryOut('joan')).toBe('seats_exhausted');
    expect(await countsOf()).toMatchObject({ issued: 0, kept: 1, available: 0 });
  });

  it.each(['suspend', 'evict'] as const)(
    'keeps its place in the quota where %s ended it, and the license is revoked later',
    async (how) => {
      await setRules({ quota: 1 });
      expect((await issue('ada')).status).toBe(201);
      await takeAlong('ada');
      await call('POST', how === 'evict' ? '/sessions/ada/evict' : '/licenses/ada/suspend', { forced: true });
      expect(await countsOf()).toMatchObject({ issued: 1, kept: 0, available: 0 });
      await call('POST', '/licenses/ada/revoke');
      expect(await countsOf()).toMatchObject({ issued: 0, kept: 1, available: 0 });
      expect((await issue('joan')).status).toBe(409);
    },
  );

  it('counts a user once, wherever the license goes and whoever puts the seat back', async () => {
    await setRules({ quota: 3 });
    for (const user of ['ada', 'ben']) expect((await issue(user)).status).toBe(201);
    await takeAlong('ada');
    await call('POST', '/licenses/ada/revoke', { forced: true });
    expect(await countsOf()).toMatchObject({ issued: 1, kept: 1, available: 1 });
    await call('POST', '/licenses/ben/transfer', { to: 'ada' });
    expect(await countsOf()).toMatchObject({ issued: 1, kept: 0, available: 2 });
    await call('POST', '/licenses/ada/transfer', { to: 'joan' });
    expect(await countsOf()).toMatchObject({ issued: 1, kept: 1, available: 1 });
    // A seat that was taken while there was no cap.
    const ada = await claim('ada', 'workstation');
    await ada.told('welcome');
    await setRules({ maxActive: 2 });
    // Redis loses the lease, somebody sweeps, and the node puts it back.
    await client.del('soleseat:{acme}:lease:ada');
    await node.store.sweeper.lookAt('acme');
    const leases = () => ada.received.filter(({ type }) => type === 'lease').length;
    const seen = leases();
    await eventually(() => leases() > seen + 1);
    expect(await tryOut('ben')).toBe('welcome');
  });

  it('tells the desk of the crossing', async () => {
    await setRules({ quota: 2, maxActive: 2 });
    for (const user of ['ada', 'ben']) expect((await issue(user)).status).toBe(201);
    await takeAlong('ada');
    await call('POST', '/licenses/ada/revoke', { forced: true });
    const told = async (type: string) =>
      (await ask(node, 'GET', `${org}/events?type=${type}`, { token: owner })).body.items.length;
    expect(await told('org.quota_exhausted')).toBe(1);
    await (await claim('ben')).told('welcome');
    await eventually(async () => (await told('org.seats_exhausted')) > 0);
  });

  it('lets an import give the user the license back', async () => {
    await setRules({ quota: 1 });
    expect((await issue('ada')).status).toBe(201);
    await takeAlong('ada');
    await call('POST', '/licenses/ada/revoke', { forced: true });
    const answer = (body: string) =>
      ask(node, 'POST', `${org}/license-import`, {
        body,
        headers: { 'content-type': 'text/csv' },
        token: owner,
      });
    expect((await answer('user\njoan\n')).text).toContain('quota_exhausted');
    expect((await answer('user\nada\n')).text).toContain('"done"');
  });

  it('goes along with a renaming, and ends as before', async () => {
    await setRules({ quota: 1 });
    expect((await issue('ada')).status).toBe(201);
    await takeAlong('ada');
    await call('POST', '/sessions/ada/evict', { forced: true });
    await call('POST', '/users/ada/rename', { to: 'adele' });
    expect(await client.pttl('soleseat:{acme}:tickets')).toBeGreaterThan(0);
    await call('POST', '/licenses/adele/revoke');
    expect(await countsOf()).toMatchObject({ kept: 1, available: 0 });
  });

  it('and nothing is kept of a leave that ended as it should, or of a user who is forgotten', async () => {
    await setRules({ maxActive: 1, quota: 1 });
    expect((await issue('ada')).status).toBe(201);
    await takeAlong('ada');
    const back = await claim('ada');
    await back.told('welcome');
    back.say({ type: 'release' });
    await back.close();
    await takeAlong('ada');
    await call('POST', '/users/ada/forget', { forced: true });
    expect(await countsOf()).toMatchObject({ issued: 0, kept: 0, available: 1 });
    expect((await issue('joan')).status).toBe(201);
    expect(await tryOut('joan')).toBe('welcome');
  });
});

describe('an org that binds whoever comes back early', () => {
  const comeBack = async (forMs: number, fields: object = {}) => {
    await setRules({ leaveReturn: 'bound', ...fields });
    await takeAlong('ada', forMs);
    const back = await claim('ada');
    expect((await back.told('welcome')).resumed).toBe(true);
    return back;
  };
  const other = async (more: object = {}) => {
    const desktop = await Desktop.hello(node.ports.public, 'ada', 'workstation', more);
    await desktop.told('conflict');
    return desktop;
  };

  it('keeps other machines out until the ticket has ended, also when the session has', async () => {
    const back = await comeBack(6000);
    const taking = await other();
    expect(taking.received.map(({ type }) => type)).toEqual(['error', 'conflict']);
    expect(taking.find('error')).toMatchObject({ code: 'on_leave' });
    expect(taking.find('conflict')?.holder).toMatchObject({ machine: { name: 'laptop' } });
    const until = taking.find('conflict')?.holder.onLeaveUntil ?? 0;
    expect(until - Date.now()).toBeGreaterThan(1000);
    const waiting = await other({ onConflict: 'deny' });
    expect(waiting.find('error')).toBeUndefined();
    back.say({ type: 'release' });
    await waiting.told('seat_free');
    waiting.say({ type: 'takeover', ifFree: true });
    await eventually(() => waiting.received.filter(({ type }) => type === 'conflict').length === 2);
    // The machine itself comes and goes as it likes.
    const again = await claim('ada');
    await again.told('welcome');
    again.say({ type: 'release' });
    await again.close();
    await eventually('the ticket has ended', async () => {
      const late = await claim('ada', 'workstation');
      return late.find('welcome') !== undefined;
    });
  });

  it('does so until the last of several tickets, under a new name too, and for a session that goes on', async () => {
    const first = await comeBack(HOUR_MS);
    first.say({ type: 'leave', forMs: 1500 });
    await first.told('left');
    await first.close();
    await (await claim('ada')).told('welcome');
    const sinceMs = performance.now();
    await eventually('the short one has ended', () => performance.now() - sinceMs > 1700);
    expect(await tryOutFrom('workstation')).not.toBe('welcome');
    await call('POST', '/users/ada/rename', { to: 'adele' });
    expect(await tryOutFrom('workstation', 'adele')).not.toBe('welcome');
    expect(await tryOutFrom('laptop', 'adele')).toBe('welcome');
    // A seat that was granted while the org trusted is one that goes on.
    await setRules({ leaveReturn: null });
    const other = await claim('adele', 'workstation');
    const { sessionId, epoch } = await other.told('welcome');
    await setRules({ leaveReturn: 'bound' });
    other.ws.terminate();
    const again = await Desktop.hello(node.ports.public, 'adele', 'workstation', {
      resume: { sessionId, epoch },
      onConflict: 'deny',
    });
    expect((await again.told('welcome')).resumed).toBe(true);
  });

  it('tells whoever waits when the ticket has ended', async () => {
    const back = await comeBack(4000);
    const waiting = await other({ onConflict: 'deny' });
    back.say({ type: 'release' });
    await waiting.told('seat_free');
    waiting.say({ type: 'takeover', ifFree: true });
    const free = () => waiting.received.filter(({ type }) => type === 'seat_free').length;
    await eventually(() => free() === 2);
    waiting.say({ type: 'takeover', ifFree: true });
    await waiting.told('welcome');
  });

  it('lets them in where the desk ends the session by force, or where it trusts again', async () => {
    await comeBack(HOUR_MS);
    await call('POST', '/sessions/ada/evict', { forced: true });
    expect(await tryOutFrom('workstation')).toBe('welcome');
    await comeBack(HOUR_MS);
    expect(await tryOutFrom('workstation')).not.toBe('welcome');
    await setRules({ leaveReturn: null });
    expect(await tryOutFrom('workstation')).toBe('welcome');
  });

  it('trusts by default', async () => {
    await comeBack(HOUR_MS, { leaveReturn: null });
    expect(await tryOutFrom('workstation')).toBe('welcome');
  });

  async function tryOutFrom(machine: string, user = 'ada'): Promise<string> {
    const desktop = await claim(user, machine);
    const outcome = outcomeOf(desktop);
    desktop.ws.close(1000);
    await desktop.close();
    return outcome;
  }
});
