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

  async function tryOutFrom(machine: string): Promise<string> {
    const desktop = await claim('ada', machine);
    const outcome = outcomeOf(desktop);
    desktop.ws.close(1000);
    await desktop.close();
    return outcome;
  }
});
