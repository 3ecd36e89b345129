import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { Desktop } from '../support/desktop.js';
import { startNode, tokenFor } from '../support/node.js';
import { testRedis } from '../support/redis.js';

let redis: RedisProcess;
let node: Broker;

beforeAll(async () => {
  redis = await testRedis();
  node = await startNode(redis.url);
});
afterAll(async () => {
  await node.stop();
  await redis.stop();
});

const hello = { type: 'hello', machine: { id: 'pc' } };
const unknownSession = '01900000-0000-7000-8000-000000000000';

describe('a bad message', () => {
  it.each([
    ['before hello', { type: 'release' }, 'bad_message'],
    ['of an unknown type', { type: 'steal' }, 'bad_message'],
    ['with an unknown field', { ...hello, sudo: true }, 'bad_message'],
    ['with an ANSI escape in machine.id', { type: 'hello', machine: { id: 'a\u001b[31m' } }, 'bad_message'],
    [
      'with a direction override in machine.name',
      { type: 'hello', machine: { id: 'a', name: 'x\u202ey' } },
      'bad_message',
    ],
  ])('%s is answered with its code, and a good hello then still works', async (_, message, code) => {
    const desktop = await Desktop.open(node.ports.public, tokenFor('patient'));
    desktop.say(message);
    expect((await desktop.told('error')).code).toBe(code);
    desktop.say(hello);
    await desktop.told('welcome');
  });

  it('that is not JSON is bad_json, and the third strike closes 4500', async () => {
    const desktop = await Desktop.open(node.ports.public, tokenFor('striker'));
    for (let i = 0; i < 3; i++) desktop.ws.send('{');
    expect(await desktop.close()).toEqual({ code: 4500, reason: 'bad_request' });
    const answers = desktop.received.map((message) => message.type === 'error' && message.code);
    expect(answers).toEqual(['bad_json', 'bad_json', 'bad_json']);
  });

  it.each([
    ['hello twice', hello],
    ['takeover without a conflict', { type: 'takeover' }],
    ['answer without a request', { type: 'answer', yield: true }],
  ])('%s is refused, and the session goes on', async (_, message) => {
    const desktop = await Desktop.hello(node.ports.public, 'steady', 'pc');
    await desktop.told('welcome');
    desktop.say(message);
    expect((await desktop.told('error')).code).toBe('bad_message');
    expect((await desktop.told('lease')).ttlMs).toBeGreaterThan(0);
  });
});

describe('a resume that does not fit is a new claim, and no way into a seat', () => {
  it("with somebody else's session", async () => {
    const other = await Desktop.hello(node.ports.public, 'owner', 'pc');
    const { sessionId, epoch } = await other.told('welcome');
    const thief = await Desktop.hello(node.ports.public, 'thief', 'pc', { resume: { sessionId, epoch } });
    const welcome = await thief.told('welcome');
    expect(welcome.resumed).toBe(false);
    expect(welcome.sessionId).not.toBe(sessionId);
    expect(other.closed).toBeNull();
  });

  it('with the session of the same user from another machine', async () => {
    const holder = await Desktop.hello(node.ports.public, 'twice', 'workstation');
    const { sessionId, epoch } = await holder.told('welcome');
    const other = await Desktop.hello(node.ports.public, 'twice', 'laptop', {
      resume: { sessionId, epoch },
      onConflict: 'deny',
    });
    await other.told('conflict');
    expect(holder.closed).toBeNull();
  });

  it.each([
    ['an unknown session', (epoch: number) => ({ sessionId: unknownSession, epoch })],
    ['an old epoch', (epoch: number, sessionId: string) => ({ sessionId, epoch: epoch - 1 })],
  ])('with %s', async (_, resumeOf) => {
    const holder = await Desktop.hello(node.ports.public, 'stale', 'pc');
    const { sessionId, epoch } = await holder.told('welcome');
    const again = await Desktop.hello(node.ports.public, 'stale', 'pc', {
      resume: resumeOf(epoch, sessionId),
    });
    const welcome = await again.told('welcome');
    expect(welcome.resumed).toBe(false);
    expect(welcome.epoch).toBeGreaterThan(epoch);
  });
});

describe('a container', () => {
  it('is closed with 4505 where the org does not allow it, and let in where it does', async () => {
    const strict = await startNode(redis.url, { SOLESEAT_LICENSE_MODE: 'auto' });
    const container = { machine: { id: 'box', kind: 'container' as const } };
    const refused = await Desktop.hello(strict.ports.public, 'boxed', 'box', container);
    expect(await refused.close()).toEqual({ code: 4505, reason: 'machine_not_allowed' });
    const store = new Redis(redis.url);
    await store.hset('soleseat:{acme}:settings', 'containers', 'allow');
    const allowed = await Desktop.hello(strict.ports.public, 'boxed', 'box', container);
    await allowed.told('welcome');
    await store.del('soleseat:{acme}:settings');
    store.disconnect();
    await strict.stop();
  });
});
