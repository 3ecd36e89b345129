import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import { ask, type CallOptions } from '../support/admin.js';
import { startNode } from '../support/node.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();
let node: Broker;
beforeAll(async () => {
  node = await startNode(redis.url);
});
afterAll(() => node.stop());

describe('an answer of the admin port', () => {
  it.each<readonly [string, number, CallOptions]>([
    ['/v1/admin/orgs', 200, {}],
    ['/v1/admin/orgs', 401, { token: null }],
    ['/v1/admin/orgs/nowhere', 404, {}],
    ['/v1/admin/orgs?limit=x', 422, {}],
    ['/nowhere', 404, {}],
    ['/%zz', 400, {}],
    ['/livez', 200, { token: null }],
    ['/metrics', 200, { token: null }],
    ['/console/', 200, { token: null }],
  ])('is not kept, guessed at or framed: %s with %i', async (path, status, options) => {
    const answer = await ask(node, 'GET', path, options);
    expect(answer.status).toBe(status);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    });
  });
});
