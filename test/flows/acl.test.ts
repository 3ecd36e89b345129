import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { allRoutes } from '../../src/admin/routes/index.js';
import { redisKeys } from '../../src/store/redis-keys.js';
import { ask } from '../support/admin.js';
import { Desktop, resume } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { startNode } from '../support/node.js';
import { testRedis } from '../support/redis.js';

const redisTypes: Readonly<Record<string, string>> = {
  string: 'string',
  hash: 'hash',
  set: 'set',
  'sorted set': 'zset',
  stream: 'stream',
  HyperLogLog: 'string',
};

/** The types that the table gives to keys of this form. */
const rowsOf = (key: string) =>
  Object.values(redisKeys)
    .filter((row) =>
      new RegExp(
        `^soleseat:${row.key.replaceAll('<index>', '').replaceAll(/<\w+>/g, '.+').replaceAll(/[{}]/g, '\\$&')}$`,
      ).test(key),
    )
    .map(({ type }) => redisTypes[type]);

const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');

it('nodes can do all their work as the user of Redis that docs/operations.md gives, who can do no more', async () => {
  const redis = await testRedis();
  const store = new Redis(redis.url);
  const line = /<!-- acl -->\s*```\s*(ACL SETUSER .*)\s*```\s*<!-- \/acl -->/.exec(page)?.[1] ?? '';
  const [, , ...rules] = line.replace('>PASSWORD', '>secret').split(' ');
  await store.acl('SETUSER', ...(rules as [string, ...string[]]));
  // The page says so of Redis 7.2 and newer; older ones refuse a rule that they do not know.
  await store.acl('SETUSER', 'soleseat', '+client|setinfo').catch((error: Error) => {
    expect(error.message).toContain('setinfo');
  });
  const url = redis.url.replace('redis://', 'redis://soleseat:secret@');
  const near = await startNode(url, { SOLESEAT_LICENSE_MODE: 'auto', SOLESEAT_PROBE_EVERY_MS: '200' });
  const far = await startNode(url, { SOLESEAT_LICENSE_MODE: 'auto' });
  const dial = (user: string, machine: string) => Desktop.hello(near.ports.public, user, machine);

  const workstation = await dial('ada', 'workstation');
  await workstation.told('lease');
  const laptop = await Desktop.hello(far.ports.public, 'ada', 'laptop');
  await laptop.told('welcome');
  // Told by notice or by renewal; that notices come through, the probes below tell.
  expect((await workstation.told('evicted')).reason).toBe('taken_over');
  await (await dial('ada', 'tablet')).told('welcome');
  const bob = await dial('bob', 'pc');
  await bob.told('welcome');
  bob.ws.terminate();
  const again = await resume(far.ports.public, 'bob', 'pc', bob);
  expect((await again.told('welcome')).resumed).toBe(true);
  const page0 = async () => near.metrics.registry.metrics();
  await eventually(async () => /pubsub_lag_seconds_count [1-9]/.test(await page0()));
  await store.flushall();
  await eventually(async () => (await store.exists('soleseat:{acme}:lease:bob')) === 1);
  expect(
    await far.store.leases.evict({ org: 'acme', user: 'bob', reason: 'evicted_by_admin', actor: 'ops' }),
  ).not.toBeNull();
  expect((await again.told('evicted')).reason).toBe('evicted_by_admin');
  const carl = await dial('carl', 'pc');
  await carl.told('welcome');
  carl.say({ type: 'release' });
  expect((await carl.close()).code).toBe(1000);
  const dora = await dial('dora', 'pc');
  await dora.told('welcome');
  dora.ws.terminate();
  await eventually(async () => (await store.zscore('soleseat:{acme}:active', 'dora')) === null);
  await eventually(async () => (await near.store.nodes.list()).length === 2);
  // All that people may ask for; a stream would not end.
  const reads = allRoutes.filter(({ method, path }) => method === 'GET' && !/stream|live/.test(path));
  expect(reads.length).toBeGreaterThan(10);
  for (const { path } of reads) {
    const { status } = await ask(near, 'GET', path.replace('{org}', 'acme').replace(/\{\w+\}/, 'ada'));
    expect(status < 500, `${path} is answered ${status}`).toBe(true);
  }
  const body = { quota: 50 };
  expect((await ask(near, 'PATCH', '/v1/admin/orgs/acme', { body })).status).toBe(200);
  expect(await page0()).not.toContain('NOPERM');
  for (const key of await store.keys('*')) {
    const type = await store.type(key);
    // It has ended since it was listed.
    if (type === 'none') continue;
    expect(rowsOf(key), `${key}, a ${type}, is in no row of docs/redis-keys.md`).toContain(type);
  }
  await Promise.all([near.stop(), far.stop()]);
  expect(await store.acl('LOG')).toEqual([]);

  const user = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0 });
  await user.connect();
  const tries: readonly (readonly [string, ...string[]])[] = [
    ['FLUSHALL'],
    ['KEYS', '*'],
    ['CONFIG', 'GET', '*'],
    ['GET', 'another'],
    ['PUBLISH', 'another', 'x'],
    ['ACL', 'LIST'],
  ];
  for (const [command, ...args] of tries) await expect(user.call(command, ...args)).rejects.toThrow('NOPERM');
  user.disconnect();
  store.disconnect();
  await redis.stop();
});
