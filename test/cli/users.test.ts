import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Role } from '../../src/auth/tokens.js';
import type { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { ended, startCommand } from '../support/command.js';
import { adminTokenFor, startNode } from '../support/node.js';
import { testRedis } from '../support/redis.js';

let redis: RedisProcess;
let broker: Broker;

beforeAll(async () => {
  redis = await testRedis();
  broker = await startNode(redis.url);
});
afterAll(async () => {
  await broker?.stop();
  await redis?.stop();
});

function run(line: string, role: Role = 'owner') {
  const url = `http://127.0.0.1:${broker.ports.admin}`;
  const env = { SOLESEAT_ADMIN_TOKEN: adminTokenFor(role, '*'), SOLESEAT_ADMIN_URL: url };
  return ended(startCommand(line.split(' '), env));
}

it('a user is held, let in, renamed and forgotten, and a license noted', async () => {
  await run('license issue ada --org acme --new-org');
  expect((await run('license note ada room-12 --org acme')).out).toContain('room-12');
  expect((await run('user hold ada 2h --note phone --org acme', 'operator')).out).toContain('no seat until');
  expect((await run('user show ada --org acme')).out).toMatch(/hold\.note +phone/);
  expect((await run('user lift ada --org acme', 'operator')).out).toContain('not held');
  expect((await run('user rename ada grace --org acme')).code).toBe(2);
  expect((await run('user rename ada grace --org acme --alias 7d --yes')).out).toContain('ada is grace now');
  expect((await run('license show grace --org acme')).out).toMatch(/note +room-12/);
  expect((await run('user rename ada bob --org acme --yes')).err).toContain('user ada, to bob, org acme');
  expect((await run('user forget grace --org acme --preview')).out).toMatch(/license +active/);
  expect((await run('user forget grace --org acme --yes', 'operator')).code).toBe(77);
  expect((await run('user forget grace --org acme --yes')).out).toContain('grace is forgotten');
  expect((await run('license show grace --org acme')).code).toBe(1);
});
