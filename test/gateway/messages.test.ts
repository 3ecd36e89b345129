import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
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

const longName = 'x'.repeat(129);

// [broker-bad-hello]
describe('a hello that can never be right', () => {
  it.each<readonly [string, string | object, string, string]>([
    ['that is not JSON', '{', 'bad_json', 'JSON'],
    ['that is no object', '[]', 'bad_message', 'object'],
    ['without a type', '{}', 'bad_message', 'type'],
    ['without a machine', { type: 'hello' }, 'bad_message', 'machine'],
    ['without machine.id', { type: 'hello', machine: { name: 'pc' } }, 'bad_message', 'machine.id'],
    [
      'with an ANSI escape in machine.id',
      { type: 'hello', machine: { id: 'a\u001b[31m' } },
      'bad_message',
      'machine.id',
    ],
    [
      'with a name that is too long',
      { type: 'hello', machine: { id: 'a', name: longName } },
      'bad_message',
      'machine.name',
    ],
    [
      'with a version that is too long',
      { ...hello, client: { name: 'app', version: longName } },
      'bad_message',
      'client.version',
    ],
    ['with an instance that is too long', { ...hello, instance: longName }, 'bad_message', 'instance'],
    ['with __proto__', '{"type":"hello","machine":{"id":"a","__proto__":{}}}', 'bad_message', 'not allowed'],
    ['nested too deeply', `{"type":"hello","x":${'['.repeat(17)}${']'.repeat(17)}}`, 'bad_message', 'nested'],
  ])('%s is told the field and closed with 4500 at once', async (_, said, code, field) => {
    const desktop = await Desktop.open(node.ports.public, tokenFor('never'));
    desktop.ws.send(typeof said === 'string' ? said : JSON.stringify(said));
    expect(await desktop.close()).toEqual({ code: 4500, reason: 'bad_request' });
    expect(desktop.received).toHaveLength(1);
    expect(desktop.received[0]).toMatchObject({
      type: 'error',
      code,
      message: expect.stringContaining(field),
    });
  });

  it.each([
    ['of more than 8,192 bytes', 'x'.repeat(8193)],
    ['that is empty', ''],
  ])('with a token %s is closed with 4501', async (_, token) => {
    const desktop = await Desktop.open(node.ports.public, null);
    desktop.say({ ...hello, token });
    expect(await desktop.close()).toEqual({ code: 4501, reason: 'unauthorized' });
  });
});

// [broker-ignore-unknown]
describe('a hello of a later version, or of a serialiser that sends null', () => {
  it.each<readonly [string, object]>([
    [
      'with fields that are not known',
      { machine: { id: 'pc', tpm: true }, asks: true, nonce: 'n', extra: { a: [1] } },
    ],
    ['with a kind that is not known', { machine: { id: 'pc', kind: 'phone' } }],
    [
      'with names that cannot be shown',
      { machine: { id: 'pc', name: 'x\u202ey' }, client: { name: 'a\n', version: '' } },
    ],
    [
      'with null in each place that may be left out',
      {
        machine: { id: 'pc', name: null, os: null, kind: null },
        instance: null,
        attempt: null,
        onConflict: null,
        resume: null,
        client: null,
        token: null,
      },
    ],
    ['with a resume that names no session', { resume: { sessionId: 'the last one', epoch: null } }],
    ['with instance and attempt', { instance: 'process-1', attempt: 3 }],
  ])('%s is granted', async (_, more) => {
    const desktop = await Desktop.open(node.ports.public, tokenFor('later'));
    desktop.say({ ...hello, ...more });
    expect((await desktop.told('welcome')).resumed).toBe(false);
    desktop.ws.close(1000);
  });
});

// [broker-unsupported]
describe('what only a later version understands is `unsupported`, without a strike', () => {
  const steal = { type: 'steal' };

  it('before hello', async () => {
    const desktop = await Desktop.open(node.ports.public, tokenFor('before'));
    for (let i = 0; i < 5; i++) desktop.say(steal);
    desktop.say(hello);
    await desktop.told('welcome');
    const codes = desktop.received.flatMap((message) => (message.type === 'error' ? [message.code] : []));
    expect(codes).toEqual(Array.from({ length: 5 }, () => 'unsupported'));
  });

  it('during a claim and in a session', async () => {
    const desktop = await Desktop.open(node.ports.public, tokenFor('during'));
    desktop.say(hello);
    for (let i = 0; i < 5; i++) desktop.say({ type: 'share', forMs: 1 });
    await desktop.told('welcome');
    for (let i = 0; i < 5; i++) desktop.say(steal);
    await desktop.until(() => desktop.received.filter(({ type }) => type === 'error').length === 10);
    await desktop.told('lease');
    expect(desktop.closed).toBeNull();
  });

  it('an onConflict that is not known: another hello may follow', async () => {
    const desktop = await Desktop.open(node.ports.public, tokenFor('policy'));
    for (let i = 0; i < 5; i++) desktop.say({ ...hello, onConflict: 'negotiate' });
    expect((await desktop.told('error')).code).toBe('unsupported');
    desktop.say(hello);
    await desktop.told('welcome');
  });
});

describe('a bad message', () => {
  it('before hello is a strike, and a good hello then still works', async () => {
    const desktop = await Desktop.open(node.ports.public, tokenFor('patient'));
    desktop.say({ type: 'release' });
    expect(await desktop.told('error')).toMatchObject({ code: 'bad_message', message: 'hello comes first' });
    desktop.say(hello);
    await desktop.told('welcome');
  });

  it('is a strike, and the third closes 4500', async () => {
    const desktop = await Desktop.hello(node.ports.public, 'striker', 'pc');
    await desktop.told('welcome');
    desktop.ws.send('{');
    desktop.say({ type: 'refresh' });
    desktop.say({ ...hello, machine: null });
    expect(await desktop.close()).toEqual({ code: 4500, reason: 'bad_request' });
    const answers = desktop.received.flatMap((message) => (message.type === 'error' ? [message.code] : []));
    expect(answers).toEqual(['bad_json', 'bad_message', 'bad_message']);
  });

  it.each([
    ['hello twice', hello],
    ['a second hello of a later version', { ...hello, onConflict: 'negotiate' }],
    ['takeover without a conflict', { type: 'takeover' }],
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
    ['an unknown session', false, (epoch: number) => ({ sessionId: unknownSession, epoch })],
    // The epoch decides nothing: the session is the client's, whatever it has missed.
    ['an old epoch', true, (epoch: number, sessionId: string) => ({ sessionId, epoch: epoch - 1 })],
  ])('with %s', async (_, isResumed, resumeOf) => {
    const holder = await Desktop.hello(node.ports.public, 'stale', 'pc');
    const { sessionId, epoch } = await holder.told('welcome');
    const again = await Desktop.hello(node.ports.public, 'stale', 'pc', {
      resume: resumeOf(epoch, sessionId),
    });
    const welcome = await again.told('welcome');
    expect(welcome.resumed).toBe(isResumed);
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

describe('the age of a message (promise 15)', () => {
  type Aged = { readonly type: string; readonly elapsedMs?: number };
  const agesOf = (desktop: Desktop) =>
    desktop.received.map((message: Aged): [string, number | undefined] => [message.type, message.elapsedMs]);

  it('counts from the first answer on the connection, and is in each message with a duration', async () => {
    const desktop = await Desktop.hello(node.ports.public, 'aged', 'pc');
    const { elapsedMs } = await desktop.told('welcome');
    expect(elapsedMs).toBe(0);
    const welcomedMs = performance.now();
    await desktop.until(() => desktop.received.filter(({ type }) => type === 'lease').length === 3);
    const ages = agesOf(desktop).map(([, age]) => age ?? -1);
    expect(ages).toEqual([...ages].sort((a, b) => a - b));
    expect(ages.every((age) => Number.isInteger(age))).toBe(true);
    // Three renewals: the third comes two intervals of 500 ms after the first at the earliest.
    expect(ages.at(-1)).toBeGreaterThanOrEqual(1000);
    expect(ages.at(-1)).toBeLessThanOrEqual(Math.ceil(performance.now() - welcomedMs) + 1000);
    const winner = await Desktop.hello(node.ports.public, 'aged', 'laptop');
    await winner.told('welcome');
    // What carries no duration has no age.
    expect(await desktop.told('evicted')).not.toHaveProperty('elapsedMs');
  });

  it('an error before the hello is the zero, and what follows counts from there', async () => {
    const desktop = await Desktop.open(node.ports.public, tokenFor('zero'));
    desktop.say({ type: 'steal' });
    expect((await desktop.told('error')).elapsedMs).toBe(0);
    const beganMs = performance.now();
    await eventually(() => performance.now() - beganMs > 50);
    const sentAtMs = performance.now();
    desktop.say(hello);
    const { elapsedMs = -1 } = await desktop.told('welcome');
    // base = sentAt − elapsedMs is not after the zero, which is not after the moment at which the error had come.
    expect(sentAtMs - elapsedMs).toBeLessThanOrEqual(beganMs + 1);
    expect(elapsedMs).toBeGreaterThanOrEqual(49);
  });

  it('a conflict, and the welcome after its takeover, are of one reckoning', async () => {
    await (await Desktop.hello(node.ports.public, 'chosen', 'pc')).told('welcome');
    const laptop = await Desktop.hello(node.ports.public, 'chosen', 'laptop', { onConflict: 'deny' });
    expect((await laptop.told('conflict')).elapsedMs).toBe(0);
    const beganMs = performance.now();
    await eventually(() => performance.now() - beganMs > 50);
    laptop.say({ type: 'takeover' });
    expect((await laptop.told('welcome')).elapsedMs).toBeGreaterThanOrEqual(49);
  });
});
