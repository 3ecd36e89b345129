import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import { ask } from '../support/admin.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { adminTokenFor, startNode, UNHURRIED } from '../support/node.js';
import { useRedis } from '../support/redis.js';
import { signed } from './signed.js';

const LIFE_MS = 3_000;
const redis = useRedis();
let nodes: Broker[];
/** Its nodes forget revocations soon. */
let forgetful: Broker;

beforeAll(async () => {
  nodes = [await startNode(redis.url, UNHURRIED), await startNode(redis.url, UNHURRIED)];
  forgetful = await startNode(redis.url, {
    SOLESEAT_TOKEN_LIFE_MAX_MS: String(LIFE_MS),
    SOLESEAT_KEY_PREFIX: 'forgetful:',
  });
});
afterAll(async () => {
  for (const node of [...(nodes ?? []), forgetful]) await node?.stop();
});

const nodeAt = (index: number) => nodes[index % nodes.length] as Broker;
const nowSeconds = () => Math.floor(Date.now() / 1000);
const path = '/v1/admin/orgs/acme/revocations';

async function dial(token: string, node = nodeAt(0), more: object = {}): Promise<Desktop> {
  const desktop = await Desktop.open(node.ports.public, null);
  desktop.say({ type: 'hello', machine: { id: 'pc' }, token, ...more });
  await desktop.until(() => desktop.find('welcome') !== undefined || desktop.closed !== null);
  return desktop;
}

async function revoke(body: object, node = nodeAt(1)) {
  return ask(node, 'POST', path, { body });
}

async function whoHas(token: string, node = nodeAt(0)): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`http://127.0.0.1:${node.ports.public}/v1/session`, { headers })).status;
}

describe('all tokens of a user', () => {
  it('are refused from a moment on: the session ends at once, a later token is good', async () => {
    const iat = nowSeconds() - 100;
    const desktop = await dial(signed({ sub: 'ada', iat }));
    const { sessionId } = await desktop.told('welcome');
    const answer = await revoke({ user: 'ada', note: 'laptop stolen' });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({ endedSessionId: sessionId });
    expect((await desktop.told('evicted')).reason).toBe('token_revoked');
    expect(await desktop.close()).toEqual({ code: 4516, reason: 'token_revoked' });
    for (const claims of [{ iat }, { iat: undefined }, { iat: nowSeconds() - 5 }]) {
      const token = signed({ sub: 'ada', ...claims });
      expect((await dial(token, nodeAt(1))).closed).toEqual({ code: 4516, reason: 'token_revoked' });
      expect(await whoHas(token)).toBe(401);
    }
    const later = signed({ sub: 'ada', iat: nowSeconds() + 5 });
    expect((await dial(later)).find('welcome')).toBeDefined();
    expect(await whoHas(later)).toBe(200);
    expect((await dial(signed({ sub: 'bob', iat }))).find('welcome')).toBeDefined();
    const events = await ask(nodeAt(0), 'GET', '/v1/admin/orgs/acme/events?type=token.revoked');
    expect(events.body.items[0]).toMatchObject({ user: 'ada', details: { note: 'laptop stolen' } });
    expect((await ask(nodeAt(0), 'GET', path)).body.items).toMatchObject([{ user: 'ada' }]);
  });

  it('up to a moment that has passed: a session under a later token goes on', async () => {
    const desktop = await dial(signed({ sub: 'eve', iat: nowSeconds() - 60 }));
    const before = new Date((nowSeconds() - 120) * 1000).toISOString();
    expect((await revoke({ user: 'eve', before })).body).toEqual({ endedSessionId: null });
    expect((await dial(signed({ sub: 'eve', iat: nowSeconds() - 121 }))).closed?.code).toBe(4516);
    expect(desktop.closed).toBeNull();
    // An earlier moment takes nothing back.
    await revoke({ user: 'eve', before: new Date((nowSeconds() - 500) * 1000).toISOString() });
    expect((await dial(signed({ sub: 'eve', iat: nowSeconds() - 130 }))).closed?.code).toBe(4516);
  });

  it('go by the token that was shown last: a refresh counts', async () => {
    const desktop = await dial(signed({ sub: 'fred', iat: nowSeconds() - 300 }));
    desktop.say({ type: 'refresh', token: signed({ sub: 'fred', iat: nowSeconds() - 10 }) });
    const key = 'soleseat:{acme}:lease:fred';
    await eventually(async () => (await redis.client.get(key))?.includes(`${nowSeconds() - 10}`.slice(0, 9)));
    expect((await redis.client.pttl(key)) > 0).toBe(true);
    await revoke({ user: 'fred', before: new Date((nowSeconds() - 100) * 1000).toISOString() });
    expect(desktop.closed).toBeNull();
    desktop.say({ type: 'refresh', token: signed({ sub: 'fred', iat: nowSeconds() - 200 }) });
    expect(await desktop.close()).toEqual({ code: 4516, reason: 'token_revoked' });
  });

  it('a crowd of machines that dial meanwhile: nobody is in at the end', async () => {
    const token = signed({ sub: 'gil', iat: nowSeconds() - 5 });
    const dialled = Array.from({ length: 20 }, (_, index) =>
      dial(token, nodeAt(index), { machine: { id: `m${index}` } }),
    );
    await revoke({ user: 'gil' });
    const all = await Promise.all(dialled);
    await eventually(() => all.every(({ closed }) => closed !== null));
    expect(await redis.client.exists('soleseat:{acme}:lease:gil')).toBe(0);
    expect(all.some(({ closed }) => closed?.code === 4516)).toBe(true);
  });
});

describe('one token', () => {
  it('is refused by its id, wherever its session is, though nobody names the user', async () => {
    const token = signed({ sub: 'hal', iat: nowSeconds(), jti: 'j-1' });
    const desktop = await dial(token, nodeAt(0));
    const other = await dial(signed({ sub: 'ivy', iat: nowSeconds(), jti: 'j-2' }), nodeAt(0));
    expect((await revoke({ jti: 'j-1' })).body).toEqual({ endedSessionId: null });
    expect(await desktop.close()).toEqual({ code: 4516, reason: 'token_revoked' });
    expect(desktop.find('evicted')?.reason).toBe('token_revoked');
    expect((await dial(token, nodeAt(1))).closed?.code).toBe(4516);
    const another = signed({ sub: 'hal', iat: nowSeconds(), jti: 'j-3' });
    expect((await dial(another, nodeAt(1))).find('welcome')).toBeDefined();
    expect(other.closed).toBeNull();
    const { body } = await ask(nodeAt(0), 'GET', '/v1/admin/orgs/acme/events?type=session.ended&user=hal');
    expect(body.items[0]).toMatchObject({ reason: 'token_revoked', actor: 'broker' });
  });

  it('of a user that is named ends at once, also with an id that is long', async () => {
    const jti = 'long'.repeat(100);
    const desktop = await dial(signed({ sub: 'joe', iat: nowSeconds(), jti }));
    const { sessionId } = await desktop.told('welcome');
    expect((await revoke({ user: 'joe', jti })).body).toEqual({ endedSessionId: sessionId });
    expect((await desktop.close()).code).toBe(4516);
  });

  it('keeps out who holds on after Redis lost the lease', async () => {
    const desktop = await dial(signed({ sub: 'kim', iat: nowSeconds(), jti: 'j-kim' }));
    await redis.client.del('soleseat:{acme}:lease:kim');
    await revoke({ jti: 'j-kim' });
    expect(await desktop.close()).toEqual({ code: 4516, reason: 'token_revoked' });
  });
});

describe('what is asked for', () => {
  it.each([
    [{}, 'user'],
    [{ jti: 'a', before: '2026-01-01' }, 'before'],
    [{ user: 'ada', before: '2100-01-01' }, 'before'],
    [{ user: 'ada', before: 'yesterday' }, 'before'],
    [{ user: '' }, 'user'],
    [{ jti: '' }, 'jti'],
  ])('%j is refused by its name', async (body, field) => {
    const answer = await revoke(body);
    expect(answer.status).toBe(422);
    expect(answer.body.fields[0].field).toBe(field);
  });

  it('needs the role admin', async () => {
    const token = adminTokenFor('operator');
    expect((await ask(nodeAt(0), 'POST', path, { token, body: { user: 'ada' } })).status).toBe(403);
  });
});

describe('with a greatest life of tokens', () => {
  it('longer ones are refused, and a revocation is forgotten when its tokens have ended', async () => {
    const long = signed({ sub: 'lou', iat: nowSeconds(), exp: nowSeconds() + LIFE_MS / 1000 + 1 });
    expect((await dial(long, forgetful)).closed?.code).toBe(4501);
    const token = () => signed({ sub: 'lou', iat: nowSeconds(), exp: nowSeconds() + LIFE_MS / 1000 });
    expect((await dial(token(), forgetful)).find('welcome')).toBeDefined();
    await revoke({ user: 'lou' }, forgetful);
    await revoke({ jti: 'gone' }, forgetful);
    expect((await dial(token(), forgetful)).closed?.code).toBe(4516);
    const settings = 'forgetful:{acme}:settings';
    expect(await redis.client.hget(settings, 'revocations')).toBe('1');
    await eventually(async () => (await redis.client.hget(settings, 'revocations')) === null);
    expect(
      await redis.client.exists('forgetful:{acme}:users-revoked', 'forgetful:{acme}:tokens-revoked'),
    ).toBe(0);
    expect((await dial(token(), forgetful)).find('welcome')).toBeDefined();
  });
});
