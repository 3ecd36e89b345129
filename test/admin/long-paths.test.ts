import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import { ask } from '../support/admin.js';
import { startNode } from '../support/node.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();
let node: Broker;
beforeAll(async () => {
  node = await startNode(redis.url);
});
afterAll(() => node.stop());

describe('a part of a path that is too long', () => {
  const long = 'x'.repeat(5000);
  it.each([
    ['GET', `/v1/admin/orgs/${long}`],
    ['HEAD', `/v1/admin/orgs/${long}`],
    ['PATCH', `/v1/admin/orgs/${long}`],
    ['GET', `/v1/admin/orgs/acme/licenses/${long}`],
    ['POST', `/v1/admin/orgs/acme/licenses/${long}/suspend`],
    ['PUT', `/v1/admin/orgs/acme/machine-rules/${'%C3%A9'.repeat(2000)}`],
    ['DELETE', `/v1/admin/orgs/${long}/licenses/${long}`],
  ])('is 414 for %s', async (method, path) => {
    const body = method === 'GET' || method === 'HEAD' ? undefined : {};
    expect((await ask(node, method, path, { body })).status).toBe(414);
  });

  it('is no defect: one that is as long as may be is merely nobody’s', async () => {
    expect((await ask(node, 'GET', `/v1/admin/orgs/${'x'.repeat(1024)}`)).status).toBe(404);
  });
});
