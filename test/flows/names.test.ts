import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import { ask } from '../support/admin.js';
import { Desktop } from '../support/desktop.js';
import { startNode, tokenFor } from '../support/node.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();
let node: Broker;
beforeAll(async () => {
  node = await startNode(redis.url, { SOLESEAT_LICENSE_MODE: 'required' });
});
afterAll(() => node.stop());
const org = '/v1/admin/orgs/acme';

describe('one person under two spellings of one name', () => {
  it.each([
    ['composed and decomposed', 'zo\u00eb', 'zoe\u0308'],
    ['with blanks around', 'ada@example.com', ' ada@example.com\u00a0'],
    ['with a byte order mark', 'grace', '\ufeffgrace'],
  ])('%s has one license, and gets in by either', async (_, kept, other) => {
    const { status, body } = await ask(node, 'POST', `${org}/licenses`, { body: { user: other } });
    expect([status, body.user]).toEqual([201, kept]);
    expect((await ask(node, 'POST', `${org}/licenses`, { body: { user: kept } })).body.code).toBe('exists');
    const path = `${org}/licenses/${encodeURIComponent(other)}`;
    expect((await ask(node, 'GET', path)).body.user).toBe(kept);
    const first = await Desktop.open(node.ports.public, tokenFor(other));
    first.say({ type: 'hello', machine: { id: 'pc' } });
    await first.told('welcome');
    const second = await Desktop.open(node.ports.public, tokenFor(kept, ' acme '));
    second.say({ type: 'hello', machine: { id: 'laptop' } });
    await second.told('welcome');
    expect((await first.close()).code).toBe(4509);
    second.ws.terminate();
  });
});

it('a person whose license was issued in other letters is told so', async () => {
  await ask(node, 'POST', `${org}/licenses`, { body: { user: 'lise@example.com' } });
  const desktop = await Desktop.open(node.ports.public, tokenFor('Lise@Example.com'));
  desktop.say({ type: 'hello', machine: { id: 'pc' } });
  const { message } = await desktop.told('error');
  expect(message).toContain('a license for lise@example.com exists');
  expect((await desktop.close()).code).toBe(4513);
  const other = await Desktop.hello(node.ports.public, 'nobody like this', 'pc');
  expect((await other.close()).code).toBe(4513);
  expect(other.find('error')).toBeUndefined();
});

describe('what is nobody’s name', () => {
  it.each(['a\u200bda', 'a\u00adda', '.', '..', '*', ' '])(
    '%j gets neither a license nor a seat',
    async (user) => {
      const { status, body } = await ask(node, 'POST', `${org}/licenses`, { body: { user } });
      expect([status, body.fields[0].field]).toEqual([422, 'user']);
      const desktop = await Desktop.open(node.ports.public, null);
      desktop.say({ type: 'hello', machine: { id: 'pc' }, token: tokenFor(user) });
      expect((await desktop.close()).code).toBe(4501);
    },
  );

  it('is no org either: neither in a token nor in a path', async () => {
    const desktop = await Desktop.open(node.ports.public, null);
    desktop.say({ type: 'hello', machine: { id: 'pc' }, token: tokenFor('ada', '*') });
    expect((await desktop.close()).code).toBe(4501);
    for (const name of ['*', '%E2%80%8B', 'a%E2%80%8Bb'])
      expect(
        (await ask(node, 'POST', `/v1/admin/orgs/${name}/licenses`, { body: { user: 'x' } })).status,
      ).toBe(404);
  });
});
