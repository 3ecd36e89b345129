import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { ask } from '../support/admin.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { startNode, tokenFor } from '../support/node.js';
import { testRedis } from '../support/redis.js';

const ORG = '/v1/admin/orgs/acme';
let redis: RedisProcess;
let node: Broker;
let other: Broker;
let number = 0;
/** The user of this test, with a license, and the name to come. */
let [old, now] = ['', ''];

beforeAll(async () => {
  redis = await testRedis();
  [node, other] = await Promise.all([startNode(redis.url), startNode(redis.url)]);
  await ask(node, 'PATCH', ORG, { body: { licenseMode: 'required' } });
});
beforeEach(async () => {
  number += 1;
  [old, now] = [`ada-${number}`, `Ada.Lovelace-${number}`];
  await ask(node, 'POST', `${ORG}/licenses`, {
    body: { user: old, note: 'room 12', expiresAt: '2099-01-31' },
  });
});
afterAll(async () => {
  await node?.stop();
  await other?.stop();
  await redis?.stop();
});

const rename = (to = now, more: object = {}, user = old) =>
  ask(node, 'POST', `${ORG}/users/${user}/rename`, { body: { to, ...more } });
const forget = (body: object = {}, user = old) => ask(node, 'POST', `${ORG}/users/${user}/forget`, { body });
const sit = async (user: string, broker = node) => {
  const desktop = await Desktop.hello(broker.ports.public, user, 'desk');
  await desktop.told('welcome');
  return desktop;
};
async function recount() {
  const { body } = await ask(node, 'POST', `${ORG}/recount`, { body: {} });
  const totals = await ask(node, 'POST', '/v1/admin/recount', { body: {} });
  return [...body.differences, ...totals.body.differences];
}
const typesOf = async (user: string) =>
  (await ask(node, 'GET', `${ORG}/events?user=${user}`)).body.items.map(({ type }: { type: string }) => type);

describe('a renamed user', () => {
  it('takes license, machines, history and past along, and loses the session with 4510', async () => {
    const desktop = await sit(old, other);
    const before = (await ask(node, 'GET', `${ORG}/licenses/${old}`)).body;
    const answer = await rename(now, { note: 'married' });
    expect([answer.status, typeof answer.body.endedSessionId]).toEqual([200, 'string']);
    expect(await desktop.close()).toEqual({ code: 4510, reason: 'user_renamed' });
    const after = (await ask(node, 'GET', `${ORG}/licenses/${now}`)).body;
    expect(after).toMatchObject({
      id: before.id,
      note: 'room 12',
      expiresOn: '2099-01-31',
      status: 'active',
    });
    expect((await ask(node, 'GET', `${ORG}/machines/${now}`)).body.items).toMatchObject([{ id: 'desk' }]);
    expect((await ask(node, 'GET', `${ORG}/history/${now}`)).body.items).toMatchObject([
      { reason: 'user_renamed', machine: { id: 'desk' } },
    ]);
    expect(await typesOf(now)).toEqual([
      'user.renamed',
      'session.ended',
      'session.granted',
      'license.issued',
    ]);
    expect(await typesOf(old)).toEqual([]);
    expect((await ask(node, 'GET', `${ORG}/licenses/${old}`)).status).toBe(404);
    expect((await ask(node, 'GET', `${ORG}/users/${old}`)).body.isKnown).toBe(false);
    expect(await recount()).toEqual([]);
  });

  it('comes in with a token of either name, to one seat, and may change from one to the other', async () => {
    await rename();
    const first = await sit(old);
    expect((await ask(node, 'GET', `${ORG}/sessions/${now}`)).status).toBe(200);
    first.say({ type: 'refresh', token: tokenFor(now) });
    first.say({ type: 'refresh', token: tokenFor(now) });
    await eventually(async () => first.ws.readyState === first.ws.OPEN && first.closed === null);
    const second = await Desktop.hello(node.ports.public, now, 'laptop');
    await second.told('welcome');
    expect(await first.close()).toMatchObject({ reason: 'taken_over' });
    const own = await fetch(`http://127.0.0.1:${node.ports.public}/v1/session`, {
      headers: { authorization: `Bearer ${tokenFor(old)}` },
    });
    expect([200, 404]).toContain(own.status);
    second.say({ type: 'release' });
    await second.close();
  });

  it('comes in by the old name no longer than is said', async () => {
    await rename(now, { aliasMs: 300 });
    await eventually(async () => {
      const late = await Desktop.hello(node.ports.public, old, 'desk');
      await eventually(async () => late.closed !== null || late.find('welcome') !== undefined);
      if (late.closed === null) late.say({ type: 'release' });
      return (await late.close()).reason === 'license_required';
    });
  });

  it('may not take the name of anybody who is known', async () => {
    await ask(node, 'POST', `${ORG}/licenses`, { body: { user: now } });
    expect((await rename()).status).toBe(409);
    expect((await ask(node, 'GET', `${ORG}/licenses/${old}`)).body.status).toBe('active');
    expect((await rename(old)).status).toBe(422);
    expect((await rename('somebody', {}, 'nobody-at-all')).status).toBe(404);
    expect((await rename('a\nb')).status).toBe(422);
  });

  it('may get the old name back, and another person may get a license under it', async () => {
    await rename();
    expect((await rename(old, {}, now)).status).toBe(200);
    await (await sit(now)).ws.close();
    expect((await ask(node, 'GET', `${ORG}/sessions/${old}`)).status).toBe(200);
    await rename();
    await ask(node, 'POST', `${ORG}/licenses`, { body: { user: old } });
    (await sit(old)).ws.close();
    expect((await ask(node, 'GET', `${ORG}/sessions/${old}`)).status).toBe(200);
  });

  it('stays suspended and held under the new name', async () => {
    await ask(node, 'POST', `${ORG}/licenses/${old}/suspend`, { body: {} });
    await ask(node, 'PUT', `${ORG}/users/${old}/hold`, { body: { holdMs: 3_600_000 } });
    await rename();
    for (const name of [old, now]) {
      const refused = await Desktop.hello(node.ports.public, name, 'desk');
      expect((await refused.close()).reason).toBe('evicted_by_admin');
    }
    await ask(node, 'DELETE', `${ORG}/users/${now}/hold`);
    const refused = await Desktop.hello(node.ports.public, now, 'desk');
    expect((await refused.close()).reason).toBe('license_suspended');
    expect(await recount()).toEqual([]);
  });
});

describe('a forgotten user', () => {
  it('is shown before what goes, then goes, and stays in the past without a name', async () => {
    const desktop = await sit(old);
    const issued = (await ask(node, 'GET', ORG)).body.counts.issued;
    const preview = await forget({ preview: true });
    expect(preview.body).toEqual({
      forgotten: false,
      license: 'active',
      hasSession: true,
      machines: 1,
      sessions: 0,
    });
    expect(desktop.closed).toBe(null);
    expect((await forget({ note: 'asked for' })).body.forgotten).toBe(true);
    expect((await desktop.close()).reason).toBe('license_revoked');
    expect((await ask(node, 'GET', `${ORG}/users/${old}`)).body.isKnown).toBe(false);
    expect((await ask(node, 'GET', ORG)).body.counts.issued).toBe(issued - 1);
    const past = (await ask(node, 'GET', `${ORG}/events?limit=4`)).body.items;
    expect(past.map(({ type }: { type: string }) => type)).toEqual([
      'user.forgotten',
      'session.ended',
      'session.granted',
      'license.issued',
    ]);
    expect(new Set(past.map(({ userKey }: { userKey: string }) => userKey)).size).toBe(1);
    expect(JSON.stringify(past)).not.toContain(old);
    expect(await recount()).toEqual([]);
    expect((await forget()).status).toBe(404);
  });

  it.each(['suspend', 'revoke'])('leaves the counters right, after %s too', async (change) => {
    await ask(node, 'POST', `${ORG}/licenses/${old}/${change}`, { body: {} });
    await forget();
    expect(await recount()).toEqual([]);
    const desktop = await Desktop.hello(node.ports.public, old, 'desk');
    expect((await desktop.close()).reason).toBe('license_required');
  });

  it('leaves no key with the name behind, but the fence of a day', async () => {
    (await sit(old)).ws.close();
    await forget();
    const { Redis } = await import('ioredis');
    const client = new Redis(redis.url);
    const named: string[] = [];
    for (const key of await client.keys('*')) {
      const type = await client.type(key);
      const content =
        type === 'hash'
          ? await client.hgetall(key)
          : type === 'zset'
            ? await client.zrange(key, '0', '-1')
            : type === 'stream'
              ? await client.xrange(key, '-', '+')
              : type === 'set'
                ? await client.smembers(key)
                : await client.getBuffer(key);
      if (`${key} ${JSON.stringify(content)}`.includes(old)) named.push(key.replace(old, 'USER'));
    }
    client.disconnect();
    expect(named.filter((key) => !key.includes('request:'))).toEqual(['soleseat:{acme}:fence:USER']);
  });
});
