import { generateKeyPairSync } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ticketRingFromText } from '../../src/auth/tickets.js';
import { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { ask } from '../support/admin.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { adminTokenFor, keys, testSettings, tokenFor } from '../support/node.js';
import { testRedis } from '../support/redis.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ring = ticketRingFromText(String(privateKey.export({ type: 'pkcs8', format: 'pem' })));
const org = '/v1/admin/orgs/acme';
const token = adminTokenFor('owner');
let redis: RedisProcess;
let client: Redis;
let node: Broker;
let users = 0;

beforeAll(async () => {
  redis = await testRedis(['--appendonly', 'yes']);
  client = new Redis(redis.url);
  node = new Broker(testSettings(redis.url), keys, { ticketKeys: ring });
  await node.start();
  await setRules({ leaveMaxMs: 7 * DAY_MS, askWaitMs: 60_000 });
});
afterAll(async () => {
  client?.disconnect();
  await node?.stop();
  await redis?.stop();
});

const newUser = () => `edge${++users}`;
async function setRules(body: object, of = org): Promise<void> {
  const answer = await ask(node, 'PATCH', of, { body, token });
  expect(answer.status, answer.text).toBe(200);
}
async function dial(user: string, machine: string, more: object = {}): Promise<Desktop> {
  const desktop = await Desktop.hello(node.ports.public, user, machine, more);
  await desktop.until(() => desktop.received.length > 0 || desktop.closed !== null);
  return desktop;
}
const count = (desktop: Desktop, type: string) => desktop.received.filter((one) => one.type === type).length;
const own = async (method: string, path: string, bearer: string) => {
  const headers = { authorization: `Bearer ${bearer}` };
  const response = await fetch(`http://127.0.0.1:${node.ports.public}${path}`, { method, headers });
  return { status: response.status, body: await response.json() };
};
const sessionsOf = async () =>
  (await node.metrics.sessions.get()).values.reduce((sum, { value }) => sum + value, 0);

const encoded = (text: string) => Buffer.from(text).toString('base64url');
it.each([
  ['of a token', `${encoded('{"alg":"ES256","typ":"JWT"}')}.${encoded('no json')}.AAAA`],
  ['without a header', '..'],
  ['with a header that is no JSON', `${encoded('{')}.e30.AAAA`],
  ['of 12,000 characters', 'A'.repeat(12_000)],
])('a hostile ticket %s counts as left out, and leaves nothing behind', async (_, ticket) => {
  const before = await sessionsOf();
  const desktop = await dial(newUser(), 'pc', { ticket });
  await desktop.told('welcome');
  desktop.say({ type: 'release' });
  await desktop.close();
  await eventually(async () => (await sessionsOf()) === before);
});

it('an attempt without an instance tells nothing: a program that counts anew finds its session', async () => {
  const user = newUser();
  const first = await dial(user, 'pc', { attempt: 9 });
  const { sessionId, epoch } = await first.told('welcome');
  first.ws.terminate();
  const again = await dial(user, 'pc', { attempt: 1, onConflict: 'deny', resume: { sessionId, epoch } });
  expect((await again.told('welcome')).resumed).toBe(true);
});

describe('a leave', () => {
  it('that is refused while a renewal is under way stops no renewals', async () => {
    await setRules({ leaveMaxMs: null });
    const desktop = await dial(newUser(), 'pc');
    await desktop.told('lease');
    // One falls into the time between a renewal and its answer.
    for (let i = 0; i < 300; i += 1) desktop.say({ type: 'leave', forMs: HOUR_MS });
    await eventually(() => count(desktop, 'error') >= 50 || desktop.closed !== null);
    const seen = count(desktop, 'lease');
    if (desktop.closed === null)
      await eventually(() => count(desktop, 'lease') > seen + 2 || desktop.closed !== null);
    expect([null, 4429]).toContain(desktop.closed?.code ?? null);
    await setRules({ leaveMaxMs: 7 * DAY_MS });
  });

  it('of no length worth the name is refused', async () => {
    const desktop = await dial(newUser(), 'pc');
    desktop.say({ type: 'leave', forMs: 5 });
    expect((await desktop.told('error')).code).toBe('leave_not_allowed');
    await desktop.told('lease');
    expect(desktop.closed).toBeNull();
  });

  it('is not ended by a late copy of the hello that came before it', async () => {
    const user = newUser();
    const hello = { instance: 'one', attempt: 1 };
    const desktop = await dial(user, 'pc', hello);
    desktop.say({ type: 'leave', forMs: HOUR_MS });
    await desktop.told('left');
    const ghost = await dial(user, 'pc', hello);
    expect(await ghost.close()).toEqual({ code: 4409, reason: 'stale_attempt' });
    expect(await client.pttl(`soleseat:{acme}:lease:${user}`)).toBeGreaterThan(HOUR_MS / 2);
  });

  it('that was ended by force stays ended for as long as its ticket is good, whatever came between', async () => {
    const user = newUser();
    const desktop = await dial(user, 'pc');
    desktop.say({ type: 'leave', forMs: 7 * DAY_MS });
    await desktop.told('left');
    await ask(node, 'POST', `${org}/sessions/${user}/evict`, { body: { forced: true } });
    const other = await dial(user, 'laptop');
    other.say({ type: 'release' });
    await other.close();
    expect(await client.pttl(`soleseat:{acme}:fence:${user}`)).toBeGreaterThan(7 * DAY_MS);
  });

  it('at maxmemory is refused, and the session goes on', async () => {
    const desktop = await dial(newUser(), 'pc', {});
    await client.config('SET', 'maxmemory', '1');
    try {
      desktop.say({ type: 'leave', forMs: HOUR_MS });
      expect((await desktop.told('error')).code).toBe('store_unavailable');
      const seen = count(desktop, 'lease');
      await eventually(() => count(desktop, 'lease') > seen + 1 || desktop.closed !== null);
      expect(desktop.closed).toBeNull();
    } finally {
      await client.config('SET', 'maxmemory', '0');
    }
  });

  it('is not ended by its user from elsewhere: nobody can tell the machine', async () => {
    const user = newUser();
    const desktop = await dial(user, 'pc');
    desktop.say({ type: 'leave', forMs: HOUR_MS });
    await desktop.told('left');
    expect((await own('POST', '/v1/session/evict', tokenFor(user))).status).toBe(409);
  });
});

describe('a question', () => {
  it.each([[false], [true]])(
    'is answered at once also after the holder asked for time (yield: %s)',
    async (yields) => {
      const user = newUser();
      const holder = await dial(user, 'pc', { asks: true });
      const newcomer = await dial(user, 'laptop', { onConflict: 'ask' });
      await holder.told('takeover_requested');
      holder.say({ type: 'answer', yield: true, needMs: 50_000 });
      await eventually(() => count(newcomer, 'conflict') === 2);
      holder.say({ type: 'answer', yield: yields });
      await newcomer.told(yields ? 'welcome' : 'ask_refused');
      if (yields) expect((await holder.close()).code).toBe(4509);
      else expect(holder.closed).toBeNull();
    },
  );

  it('is taken back by whoever takes a free seat in its place', async () => {
    const user = newUser();
    const holder = await dial(user, 'pc', { asks: true });
    const newcomer = await dial(user, 'laptop', { onConflict: 'ask' });
    await holder.told('takeover_requested');
    newcomer.say({ type: 'takeover', ifFree: true });
    await holder.told('takeover_withdrawn');
    expect(holder.closed).toBeNull();
  });
});

it('two that wait are two on the list, however often one asks', async () => {
  const user = newUser();
  const holder = await dial(user, 'pc');
  const [one, other] = [
    await dial(user, 'laptop', { onConflict: 'deny' }),
    await dial(user, 'tablet', { onConflict: 'deny' }),
  ];
  for (let i = 2; i < 12; i += 1) {
    other.say({ type: 'takeover', ifFree: true });
    await eventually(() => count(other, 'conflict') === i);
  }
  expect(await client.hlen(`soleseat:{acme}:waiters:${user}`)).toBe(2);
  holder.say({ type: 'release' });
  await one.told('seat_free');
  await other.told('seat_free');
});

it('a cap is not passed by a user whose lease has run out and was not swept', async () => {
  await setRules({ maxActive: 1 }, '/v1/admin/orgs/tight');
  // As a node leaves it that has died.
  await client.zadd('soleseat:{tight}:active', Date.now() - 5, 'carl');
  await client.zadd('soleseat:{tight}:active', Date.now() + HOUR_MS, 'anna');
  const desktop = await Desktop.open(node.ports.public, tokenFor('carl', 'tight'));
  desktop.say({ type: 'hello', machine: { id: 'pc' } });
  expect(await desktop.close()).toEqual({ code: 4515, reason: 'seats_exhausted' });
});

describe('a user who asks by another name', () => {
  it('of before a renaming sees and signs out the session of now', async () => {
    const user = newUser();
    await ask(node, 'POST', `${org}/licenses`, { body: { user } });
    const renamed = await ask(node, 'POST', `${org}/users/${user}/rename`, { body: { to: `${user}-now` } });
    expect(renamed.status, renamed.text).toBe(200);
    const desktop = await dial(`${user}-now`, 'pc');
    const { sessionId } = await desktop.told('welcome');
    const old = tokenFor(user);
    expect((await own('GET', '/v1/session', old)).body.holder.sessionId).toBe(sessionId);
    expect((await own('GET', '/v1/machines', old)).body.machines).toHaveLength(1);
    expect((await own('POST', '/v1/session/evict', old)).body).toEqual({ evicted: { sessionId } });
    expect((await desktop.close()).code).toBe(4510);
  });

  it('in another case is refused with a revoked token, where the org ignores case', async () => {
    await setRules({ letterCase: 'ignore' }, '/v1/admin/orgs/loud');
    await ask(node, 'POST', '/v1/admin/orgs/loud/licenses', { body: { user: 'Emma' } });
    await ask(node, 'POST', '/v1/admin/orgs/loud/revocations', { body: { user: 'EMMA' } });
    for (const name of ['Emma', 'EMMA', 'emma'])
      expect((await own('GET', '/v1/session', tokenFor(name, 'loud'))).status).toBe(401);
  });
});

describe('a user whose lease has run out and was not swept', () => {
  const runOut = async (user: string) => {
    const desktop = await dial(user, 'pc');
    await desktop.told('welcome');
    desktop.ws.terminate();
    await client.del(`soleseat:{acme}:lease:${user}`);
    await client.zadd('soleseat:{acme}:active', Date.now() + HOUR_MS, user);
  };

  it('is forgotten all the same: nothing names them afterwards', async () => {
    const user = newUser();
    await runOut(user);
    expect((await ask(node, 'POST', `${org}/users/${user}/forget`, { body: {} })).status).toBe(200);
    expect(await client.zscore('soleseat:{acme}:active', user)).toBeNull();
    expect(await client.exists(`soleseat:{acme}:history:${user}`)).toBe(0);
    expect(await client.hexists('soleseat:{acme}:aliases', user)).toBe(0);
  });

  it('is renamed with the end of the session, and counted right', async () => {
    const user = newUser();
    await runOut(user);
    const to = `${user}-now`;
    expect((await ask(node, 'POST', `${org}/users/${user}/rename`, { body: { to } })).status).toBe(200);
    const { body } = await ask(node, 'GET', `${org}/events?type=session.ended&user=${to}`);
    expect(body.items).toMatchObject([{ reason: 'expired' }]);
    expect((await ask(node, 'POST', `${org}/recount`, { body: {} })).body.differences).toEqual([]);
  });
});

it('a forgotten user does not come back by a token that was revoked', async () => {
  const user = newUser();
  (await dial(user, 'pc')).ws.terminate();
  await ask(node, 'POST', `${org}/revocations`, { body: { user } });
  await ask(node, 'POST', `${org}/users/${user}/forget`, { body: {} });
  expect((await (await dial(user, 'pc')).close()).code).toBe(4516);
});
