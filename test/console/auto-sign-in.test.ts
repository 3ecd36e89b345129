import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { ask } from '../support/admin.js';
import { adminTokenFor, keys, startNode, testSettings } from '../support/node.js';
import { testRedis } from '../support/redis.js';

const HOUR_MS = 3_600_000;
let redis: RedisProcess;
let development: Broker;
let ordinary: Broker;

beforeAll(async () => {
  redis = await testRedis();
  const autoSignIn = { mint: () => adminTokenFor('admin'), lifeMs: HOUR_MS };
  development = new Broker(testSettings(redis.url), keys, { autoSignIn });
  await development.start();
  ordinary = await startNode(redis.url);
});
afterAll(async () => {
  await development?.stop();
  await ordinary?.stop();
  await redis?.stop();
});

interface Got {
  readonly status: number | undefined;
  /** The whole header, null when no cookie is set. */
  readonly cookie: string | null;
}

/** Not `fetch`, which does not let one choose the Host. */
function get(node: Broker, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Got> {
  const { admin: port } = node.ports;
  return new Promise((resolve, reject) => {
    request(
      { host: '127.0.0.1', port, path, headers: { host: `127.0.0.1:${port}`, ...headers } },
      (response) => {
        response.resume();
        const [cookie = null] = response.headers['set-cookie'] ?? [];
        resolve({ status: response.statusCode, cookie });
      },
    )
      .on('error', reject)
      .end();
  });
}

describe('the console of a development broker', () => {
  it.each(['127.0.0.1:9090', 'localhost:9090', 'localhost', '[::1]:9090'])(
    'signs a browser of this computer in that asks for %s',
    async (host) => {
      const { status, cookie } = await get(development, '/console/', { host });
      expect(status).toBe(200);
      expect(cookie).toMatch(/^soleseat_admin=eyJ[^;]+; Max-Age=3600; Path=\/; HttpOnly; SameSite=Strict$/);
      const answer = await ask(development, 'GET', '/v1/admin/session', {
        token: null,
        headers: { cookie: cookie?.split(';')[0] ?? '' },
      });
      expect(answer.body).toMatchObject({ role: 'admin', org: null });
    },
  );

  it.each([
    ['a name that was made to lead here', { host: 'evil.example:9090' }],
    ['a name that only looks local', { host: 'localhost.evil.example' }],
    ['no usable name', { host: 'a b' }],
    ['a proxy', { 'x-forwarded-for': '203.0.113.7' }],
    ['a proxy that says so by the standard', { forwarded: 'for=203.0.113.7' }],
  ])('does not sign in who comes by %s', async (_, headers) => {
    expect((await get(development, '/console/', headers)).cookie).toBeNull();
  });

  it('leaves whoever is signed in as they are', async () => {
    const cookie = `soleseat_admin=${adminTokenFor('viewer')}`;
    expect((await get(development, '/console/', { cookie })).cookie).toBeNull();
    expect((await get(development, '/console/', { cookie: 'soleseat_admin=stale' })).cookie).not.toBeNull();
  });

  it('gives no token with anything but its page', async () => {
    for (const path of ['/console/icon.svg', '/v1/openapi.json', '/livez', '/console/nothing.txt']) {
      expect((await get(development, path)).cookie).toBeNull();
    }
  });
});

it('an ordinary broker signs nobody in', async () => {
  expect(await get(ordinary, '/console/')).toEqual({ status: 200, cookie: null });
});
