import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Broker } from '../../src/broker.js';
import { Connection } from '../../src/gateway/connection.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { startNode, tokenFor } from '../support/node.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();
afterEach(() => vi.restoreAllMocks());
const hello = { type: 'hello', machine: { id: 'pc' } };
const leaseOf = (user: string) => `soleseat:{acme}:lease:${user}`;
const counted = async (name: string) =>
  Number((await redis.client.hget('soleseat:{acme}:counters', name)) ?? 0);

describe('a program that leaves while its claim is under way', () => {
  let node: Broker;

  beforeAll(async () => {
    // No seat ends here by running out.
    node = await startNode(redis.url, { SOLESEAT_LEASE_TTL_MS: '600000', SOLESEAT_RENEW_EVERY_MS: '200000' });
  });
  beforeEach(() => redis.client.flushall());
  afterAll(() => node.stop());

  it.each([
    ['closes with 1000', (desktop: Desktop) => desktop.ws.close(1000)],
    [
      'releases, then closes',
      (desktop: Desktop) => {
        desktop.say({ type: 'release' });
        desktop.ws.close(1000);
      },
    ],
    [
      'releases, and is gone',
      (desktop: Desktop) => {
        desktop.say({ type: 'release' });
        desktop.ws.once('pong', () => desktop.ws.terminate());
        desktop.ws.ping();
      },
    ],
  ])('%s: the seat is free at once', async (_, leave) => {
    const desktop = await Desktop.open(node.ports.public, tokenFor('ada'));
    await redis.client.client('PAUSE', 300, 'WRITE');
    desktop.say(hello);
    leave(desktop);
    await eventually(async () => (await counted('ended:released')) === 1);
    expect(await counted('granted')).toBe(1);
    expect(await redis.client.exists(leaseOf('ada'))).toBe(0);
  });

  // [broker-seat-stays]
  it('loses its connection: the seat waits for it', async () => {
    const desktop = await Desktop.open(node.ports.public, tokenFor('kay'));
    await redis.client.client('PAUSE', 300, 'WRITE');
    desktop.say(hello);
    desktop.ws.once('pong', () => desktop.ws.terminate());
    desktop.ws.ping();
    await eventually(async () => (await counted('granted')) === 1);
    expect(await redis.client.exists(leaseOf('kay'))).toBe(1);
    await eventually(async () => /^soleseat_sessions 0$/m.test(await node.metrics.registry.metrics()));
  });

  it('says `release` twice: the close comes when the seat is free, all the same', async () => {
    const desktop = await Desktop.hello(node.ports.public, 'bob', 'pc');
    await desktop.told('welcome');
    await redis.client.client('PAUSE', 300, 'WRITE');
    desktop.say({ type: 'release' });
    desktop.say({ type: 'release' });
    expect((await desktop.close()).code).toBe(1000);
    expect(await redis.client.exists(leaseOf('bob'))).toBe(0);
  });
});

describe('a peer whose queue is full when its welcome is due', () => {
  it('leaves no session behind that is renewed for nobody', async () => {
    const node = await startNode(redis.url);
    const { send } = Connection.prototype;
    vi.spyOn(Connection.prototype, 'send').mockImplementation(function (this: Connection, message) {
      if (message.type === 'welcome') this.end('slow_consumer');
      else send.call(this, message);
    });
    const desktop = await Desktop.hello(node.ports.public, 'ghost', 'pc');
    expect((await desktop.close()).code).toBe(4008);
    await eventually(async () => /^soleseat_sessions 0$/m.test(await node.metrics.registry.metrics()));
    await eventually(async () => (await redis.client.exists(leaseOf('ghost'))) === 0);
    await node.stop();
  });
});
