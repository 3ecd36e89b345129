import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import { ask } from '../support/admin.js';
import { ended, startCommand } from '../support/command.js';
import { adminTokenFor, startNode } from '../support/node.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();
let node: Broker;
beforeAll(async () => {
  node = await startNode(redis.url);
});
afterAll(() => node?.stop());

const secret = 'a secret of no fewer than 32 bytes';
const ownerAt = (redisUrl: string, ...args: string[]) =>
  ended(startCommand(['owner', ...args], { REDIS_URL: redisUrl, SOLESEAT_JWT_SECRET: secret }));
const owner = (...args: string[]) => ownerAt(redis.url, ...args);
const token = adminTokenFor('viewer', '*', 3600, 'joan@example.com');
const webhooks = () => ask(node, 'GET', '/v1/admin/webhooks', { token }).then(({ status }) => status);

describe('soleseat owner', () => {
  it('makes the first owner at Redis, whose next request may all, and takes it back', async () => {
    expect(await webhooks()).toBe(403);
    expect(await owner('add', 'joan@example.com', '--json')).toMatchObject({
      code: 0,
      out: expect.stringContaining('"added":true'),
    });
    expect(await webhooks()).toBe(200);
    const { body } = await ask(node, 'GET', '/v1/admin/session', { token });
    expect(body).toMatchObject({ subject: 'joan@example.com', role: 'owner' });
    expect((await owner('add', 'joan@example.com')).out).toContain('was an owner already');
    expect(JSON.parse((await owner('list', '--json')).out)).toMatchObject([{ name: 'joan@example.com' }]);
    expect((await owner('remove', 'joan@example.com')).code).toBe(0);
    expect(await webhooks()).toBe(403);
    expect((await owner('remove', 'joan@example.com')).code).toBe(1);
    const trail = await ask(node, 'GET', '/v1/admin/orgs/*/events', { token: adminTokenFor('owner') });
    expect(trail.body.items).toMatchObject([
      { type: 'user.demoted', role: 'redis', details: { owner: 'joan@example.com' } },
      { type: 'user.promoted', role: 'redis', details: { owner: 'joan@example.com' } },
    ]);
  });

  it('makes no owner of a token for one org', async () => {
    await owner('add', 'ada');
    const ofOneOrg = adminTokenFor('admin', 'acme', 3600, 'ada');
    expect((await ask(node, 'GET', '/v1/admin/webhooks', { token: ofOneOrg })).status).toBe(403);
    const answer = await ask(node, 'PATCH', '/v1/admin/orgs/acme', { token: ofOneOrg, body: { quota: 9 } });
    expect(answer.status).toBe(403);
  });

  it('says what stands in its way', async () => {
    expect((await owner('add', '')).code).toBe(2);
    const away = await ownerAt('redis://127.0.0.1:9', 'list');
    expect([away.code, away.err]).toEqual([69, expect.stringContaining('nothing listens at its address')]);
  });
});
