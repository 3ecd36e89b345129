import { connect } from 'node:net';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { ask, type CallOptions } from '../support/admin.js';
import { Desktop } from '../support/desktop.js';
import { adminTokenFor, startNode, tokenFor } from '../support/node.js';
import { testRedis } from '../support/redis.js';

let redis: RedisProcess;
let node: Broker;
const licenses = '/v1/admin/orgs/acme/licenses';

beforeAll(async () => {
  redis = await testRedis();
  node = await startNode(redis.url);
  await ask(node, 'POST', licenses, { body: { user: 'ada' } });
  await ask(node, 'POST', licenses, { body: { user: 'grace' } });
  await ask(node, 'POST', '/v1/admin/orgs/globex/licenses', { body: { user: 'ada' } });
});
afterAll(async () => {
  await node?.stop();
  await redis?.stop();
});

const cases: readonly (readonly [string, string, string, CallOptions, number, string])[] = [
  ['no token', 'GET', licenses, { token: null }, 401, 'unauthorized'],
  [
    'a wrong role',
    'POST',
    licenses,
    { token: adminTokenFor('operator'), body: { user: 'x' } },
    403,
    'forbidden',
  ],
  ["another org's data", 'GET', licenses, { token: adminTokenFor('admin', 'globex') }, 404, 'not_found'],
  [
    'another org to watch',
    'GET',
    '/v1/admin/live?org=acme',
    { token: adminTokenFor('admin', 'globex') },
    404,
    'not_found',
  ],
  [
    'all orgs to watch, with a token for one',
    'GET',
    '/v1/admin/live',
    { token: adminTokenFor('admin', 'globex') },
    403,
    'forbidden',
  ],
  [
    'usage of 401 days',
    'GET',
    '/v1/admin/orgs/acme/usage?from=2025-01-01T00:00:00Z&to=2026-02-06T00:00:00Z',
    {},
    422,
    'invalid',
  ],
  ['an unknown user', 'GET', `${licenses}/nobody`, {}, 404, 'not_found'],
  ['an unknown org', 'GET', '/v1/admin/orgs/nowhere/licenses', {}, 404, 'not_found'],
  ['an unknown path', 'GET', '/v1/admin/nothing', {}, 404, 'not_found'],
  [
    'a wrong content type',
    'POST',
    licenses,
    { body: 'user=x', headers: { 'content-type': 'text/plain' } },
    415,
    'media_type',
  ],
  [
    'gzip',
    'POST',
    licenses,
    { body: '{}', headers: { 'content-encoding': 'gzip' } },
    415,
    'content_encoding',
  ],
  ['br', 'POST', licenses, { body: '{}', headers: { 'content-encoding': 'br' } }, 415, 'content_encoding'],
  ['over 64 KiB', 'POST', licenses, { body: `"${'x'.repeat(65_536)}"` }, 413, 'too_large'],
  ['bad JSON', 'POST', licenses, { body: '{"user":' }, 400, 'bad_json'],
  ['a __proto__ key', 'POST', licenses, { body: '{"__proto__":{"user":"x"}}' }, 400, 'bad_json'],
  ['a bad cursor', 'GET', `${licenses}?cursor=x`, {}, 400, 'bad_cursor'],
  ['..%2f', 'GET', `${licenses}/..%2fada`, {}, 404, 'not_found'],
  ['..%2f in the console', 'GET', '/console/..%2f..%2fpackage.json', {}, 404, 'not_found'],
  ['a bad escape', 'GET', `${licenses}/%zz`, {}, 400, 'bad_url'],
  ['a brace in an org', 'GET', '/v1/admin/orgs/%7Bacme%7D/licenses', {}, 404, 'not_found'],
  ['a brace in a new org', 'PATCH', '/v1/admin/orgs/a%7Db', { body: { quota: 1 } }, 404, 'not_found'],
  ['a brace in the org to watch', 'GET', '/v1/admin/live?org=a%7Bb', {}, 422, 'invalid'],
  [
    'a brace in the org of a seat',
    'POST',
    '/v1/introspect',
    { body: { org: 'a{b', user: 'ada', sessionId: 's', epoch: 1 } },
    422,
    'invalid',
  ],
  ['a control character', 'GET', `${licenses}/a%00b`, {}, 404, 'not_found'],
  [
    'a foreign Origin',
    'POST',
    licenses,
    { body: { user: 'x' }, headers: { origin: 'https://evil.example' } },
    403,
    'foreign_origin',
  ],
  [
    'Origin null',
    'POST',
    licenses,
    { body: { user: 'x' }, headers: { origin: 'null' } },
    403,
    'foreign_origin',
  ],
  ['a client token', 'GET', licenses, { token: tokenFor('ada') }, 401, 'unauthorized'],
];

describe('bad input to the admin API', () => {
  it.each(cases)('%s gets its answer, as problem+json', async (_, method, path, options, status, code) => {
    const answer = await ask(node, method, path, options);
    expect([answer.status, answer.body?.code]).toEqual([status, code]);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.text).not.toMatch(/node_modules|\.ts:|\.js:|at \w+ \(/);
  });

  it.each([
    ['-1', 'limit'],
    ['NaN', 'limit'],
    ['1e9', 'limit'],
    ['0', 'limit'],
    ['501', 'limit'],
    ['', 'limit'],
    ['1.5', 'limit'],
  ])('a limit of %j is 422, naming it', async (limit, field) => {
    const { status, body } = await ask(node, 'GET', `${licenses}?limit=${limit}`);
    expect([status, body.fields.map((one: { field: string }) => one.field)]).toEqual([422, [field]]);
  });

  it.each([
    [{}, ['user']],
    [{ user: '' }, ['user']],
    [{ user: 7 }, ['user']],
    [{ user: 'a\nb' }, ['user']],
    [{ user: 'a\u202eb' }, ['user']],
    [{ user: 'x'.repeat(257) }, ['user']],
    [{ user: 'ok', expiresAt: 'tomorrow' }, ['expiresAt']],
    [{ user: 'ok', expiresAt: '2099-02-30T00:00:00Z' }, ['expiresAt']],
    [{ user: 'ok', expiresAt: '2001-01-01T00:00:00Z' }, ['expiresAt']],
    [{ user: 'ok', quota: 3, admin: true }, ['quota', 'admin']],
    [[], ['']],
  ])('a body of %j is 422, naming the fields', async (body, fields) => {
    const answer = await ask(node, 'POST', licenses, { body });
    expect(answer.status).toBe(422);
    expect(answer.body.fields.map((one: { field: string }) => one.field)).toEqual(fields);
  });

  it('a wrong method is 405, and says what is served', async () => {
    const answer = await ask(node, 'DELETE', licenses);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
    expect((await ask(node, 'POST', '/livez')).headers.get('allow')).toBe('GET, HEAD');
    const empty = { headers: { 'content-type': 'application/json' } };
    expect((await ask(node, 'DELETE', licenses, empty)).status).toBe(405);
    expect((await ask(node, 'PATCH', licenses, { body: '{"user":' })).status).toBe(405);
  });

  it('a cursor of another org or another list is refused', async () => {
    const { body } = await ask(node, 'GET', `${licenses}?limit=1`);
    expect(body.next).not.toBeNull();
    const good = await ask(node, 'GET', `${licenses}?limit=1&cursor=${body.next}`);
    expect(good.body.items.map(({ user }: { user: string }) => user)).toEqual(['grace']);
    const other = await ask(node, 'GET', `/v1/admin/orgs/globex/licenses?cursor=${body.next}`);
    expect([other.status, other.body.code]).toEqual([400, 'bad_cursor']);
    const list = await ask(node, 'GET', `/v1/admin/orgs/acme/unused-licenses?cursor=${body.next}`);
    expect(list.status).toBe(400);
    const revoked = await ask(node, 'GET', `${licenses}?status=revoked&limit=1&cursor=${body.next}`);
    expect([revoked.status, revoked.body.code]).toEqual([400, 'bad_cursor']);
  });

  it('a cursor that no page has given is refused', async () => {
    const lists = ['/v1/admin/orgs', '/v1/admin/orgs/acme/sessions', '/v1/admin/orgs/acme/events', licenses];
    const desktops = await Promise.all(
      ['ada', 'grace'].map((user) => Desktop.hello(node.ports.public, user, 'pc')),
    );
    for (const desktop of desktops) await desktop.told('welcome');
    const places = [
      '',
      '!!!',
      'e30',
      'W10',
      ...[['99999999999999999999', 0], ['0', -1], ['0', 1.5], [7], [null]].map((place) =>
        Buffer.from(JSON.stringify(place)).toString('base64url'),
      ),
    ];
    for (const list of lists) {
      const { next } = (await ask(node, 'GET', `${list}?limit=1`)).body;
      expect((await ask(node, 'GET', `${list}?limit=1&cursor=${next}`)).body.items).toHaveLength(1);
      const mark = next.split('.')[0];
      for (const place of places) {
        const { status } = await ask(node, 'GET', `${list}?cursor=${mark}.${place}`);
        expect([list, place, status]).toEqual([list, place, 400]);
      }
    }
  });

  it('a license that is refused founds no org, and a quota is a number that can be counted to', async () => {
    const past = { body: { user: 'ada', expiresAt: '2001-01-01T00:00:00Z' } };
    expect((await ask(node, 'POST', '/v1/admin/orgs/never/licenses', past)).status).toBe(422);
    expect((await ask(node, 'GET', '/v1/admin/orgs/never')).status).toBe(404);
    for (const quota of ['1e21', '9007199254740993']) {
      const answer = await ask(node, 'PATCH', '/v1/admin/orgs/acme', { body: `{"quota":${quota}}` });
      expect([answer.status, answer.body.fields?.[0].field]).toEqual([422, 'quota']);
    }
  });

  it('a license that is there already brings its org back into the list, whoever failed to enter it', async () => {
    const body = { user: 'ada' };
    const initech = '/v1/admin/orgs/initech';
    expect((await ask(node, 'POST', `${initech}/licenses`, { body })).status).toBe(201);
    const store = new Redis(redis.url);
    await store.srem('soleseat:orgs', 'initech');
    store.disconnect();
    expect((await ask(node, 'GET', initech)).status).toBe(404);
    expect((await ask(node, 'POST', `${initech}/licenses`, { body })).status).toBe(409);
    expect((await ask(node, 'GET', initech)).status).toBe(200);
  });

  it('a page of another site cannot write: the browser says where it comes from', async () => {
    const write = (site: string) =>
      new Promise<string>((resolve) => {
        const socket = connect(node.ports.admin, '127.0.0.1');
        let text = '';
        socket.on('data', (data) => {
          text += data;
        });
        socket.on('close', () => resolve(text.slice(9, 12)));
        const head = [
          `POST ${licenses}/ada/suspend HTTP/1.1`,
          'Host: a',
          `Sec-Fetch-Site: ${site}`,
          'Connection: close',
          `Authorization: Bearer ${adminTokenFor()}`,
        ];
        socket.write(`${head.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`);
      });
    expect(await write('cross-site')).toBe('403');
    expect(await write('same-site')).toBe('403');
    const { body } = await ask(node, 'GET', `${licenses}/ada`);
    expect(body.status).toBe('active');
  });

  it('issuing the same license twice at once gives one 201 and one 409', async () => {
    const both = await Promise.all(
      [1, 2].map(() => ask(node, 'POST', licenses, { body: { user: 'twice' } })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
  });

  it('with an idempotency key a repetition gets the first answer, and another request none', async () => {
    const headers = { 'idempotency-key': 'order 17' };
    const first = await ask(node, 'POST', licenses, { body: { user: 'keyed' }, headers });
    const again = await ask(node, 'POST', licenses, { body: { user: 'keyed' }, headers });
    expect([first.status, again.status, again.body]).toEqual([201, 201, first.body]);
    const other = await ask(node, 'POST', licenses, { body: { user: 'other' }, headers });
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
    expect((await ask(node, 'GET', `${licenses}/other`)).status).toBe(404);
  });

  it('a quota below what is issued is 409', async () => {
    const answer = await ask(node, 'PATCH', '/v1/admin/orgs/acme', { body: { quota: 1 } });
    expect([answer.status, answer.body.code]).toEqual([409, 'quota_below_issued']);
  });

  it('twenty failed log-ins a minute are answered; the next is 429, and a good token still works', async () => {
    const own = await startNode(redis.url);
    const path = '/v1/admin/session';
    const attempt = () => ask(own, 'POST', path, { token: null, body: { token: 'x.y.z' } });
    for (let failed = 0; failed < 20; failed += 1) expect((await attempt()).status).toBe(401);
    const answer = await attempt();
    expect([answer.status, answer.body.code]).toEqual([429, 'too_many_log_ins']);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await ask(own, 'GET', path)).status).toBe(200);
    const good = { token: null, body: { token: adminTokenFor() } };
    expect((await ask(own, 'POST', path, good)).status).toBe(200);
    await own.stop();
  });

  it('twenty failed log-ins a minute under one name are answered, wherever they come from', async () => {
    const own = await startNode(redis.url, { SOLESEAT_TRUSTED_PROXIES: '127.0.0.1' });
    const [header, payload] = adminTokenFor().split('.');
    const attempt = (from: string) => {
      const headers = { 'x-forwarded-for': from };
      return ask(own, 'GET', licenses, { token: `${header}.${payload}.forged`, headers });
    };
    for (let at = 0; at < 20; at += 1) expect((await attempt(`192.0.2.${at}`)).status).toBe(401);
    expect((await attempt('198.51.100.1')).status).toBe(429);
    const other = await ask(own, 'GET', licenses, { token: 'x.y.z' });
    expect(other.status).toBe(401);
    expect((await ask(own, 'GET', licenses)).status).toBe(200);
    await own.stop();
  });

  it('twenty requests a minute with a bad token are answered; the next is 429', async () => {
    const own = await startNode(redis.url);
    const attempt = (token: string) => ask(own, 'GET', licenses, { token });
    for (let failed = 0; failed < 20; failed += 1) expect((await attempt('x.y.z')).status).toBe(401);
    const answer = await attempt('x.y.z');
    expect([answer.status, answer.body.code]).toEqual([429, 'too_many_log_ins']);
    expect((await attempt(adminTokenFor())).status).toBe(200);
    await own.stop();
  });

  it('usage of 400 days is not too long', async () => {
    const query = 'from=2025-01-01T00:00:00Z&to=2026-02-05T00:00:00Z';
    expect((await ask(node, 'GET', `/v1/admin/orgs/acme/usage?${query}`)).status).not.toBe(422);
  });

  it('a sign-in gives a cookie that no script can read and no other site can use', async () => {
    const token = adminTokenFor('viewer', 'acme');
    const path = '/v1/admin/session';
    const answer = await ask(node, 'POST', path, { token: null, body: { token } });
    const cookie = answer.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/; HttpOnly; SameSite=Strict$/);
    expect(answer.text).not.toContain(token);
    const https = { token: null, body: { token }, headers: { 'x-forwarded-proto': 'https' } };
    const secured = await ask(node, 'POST', path, https);
    expect(secured.headers.get('set-cookie')).toMatch(/; Secure$/);
    const headers = { cookie: cookie.split(';')[0] ?? '' };
    const who = await ask(node, 'GET', path, { token: null, headers });
    expect(who.body).toMatchObject({ subject: 'viewer@acme', role: 'viewer', org: 'acme' });
    const out = await ask(node, 'DELETE', path, { token: null });
    expect([out.status, /Max-Age=0/.test(out.headers.get('set-cookie') ?? '')]).toEqual([204, true]);
  });
});
