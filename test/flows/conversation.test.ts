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
  node = await startNode(redis.url, { SOLESEAT_HELLO_TIMEOUT_MS: '400' });
});
afterAll(async () => {
  await node.stop();
  await redis.stop();
});

describe('what comes while a claim is under way', () => {
  it('a release right behind the hello frees the seat', async () => {
    const desktop = await Desktop.open(node.ports.public, tokenFor('hasty'));
    desktop.say({ type: 'hello', machine: { id: 'pc' } });
    desktop.say({ type: 'release' });
    expect((await desktop.close()).code).toBe(1000);
    const store = new Redis(redis.url);
    expect(await store.exists('soleseat:{acme}:lease:hasty')).toBe(0);
    store.disconnect();
  });

  it('a refresh right behind a hello with the token in it is accepted', async () => {
    const desktop = await Desktop.open(node.ports.public, null);
    desktop.say({ type: 'hello', machine: { id: 'pc' }, token: tokenFor('keen') });
    desktop.say({ type: 'refresh', token: tokenFor('keen') });
    await desktop.told('lease');
    expect(desktop.closed).toBeNull();
  });

  it('a hello with a policy of a later version is refused plainly, and the hello timeout runs on', async () => {
    const desktop = await Desktop.open(node.ports.public, tokenFor('asker'));
    desktop.say({ type: 'hello', machine: { id: 'pc' }, onConflict: 'negotiate' });
    expect((await desktop.told('error')).code).toBe('unsupported');
    expect((await desktop.close()).code).toBe(4408);
  });
});
