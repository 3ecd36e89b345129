import { describe, expect, it } from 'vitest';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { startNode, tokenFor } from '../support/node.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();

describe('a token that ends soon', () => {
  it('is warned of once, though the program answers with the same one again and again', async () => {
    const node = await startNode(redis.url);
    const token = tokenFor('ada', 'acme', 4);
    const desktop = await Desktop.open(node.ports.public, token);
    desktop.ws.on('message', (data) => {
      if (String(data).includes('token_expiring')) desktop.say({ type: 'refresh', token });
    });
    desktop.say({ type: 'hello', machine: { id: 'pc' } });
    await desktop.told('token_expiring');
    expect((await desktop.close()).code).toBe(4001);
    expect(desktop.received.filter(({ type }) => type === 'token_expiring')).toHaveLength(1);
    await node.stop();
  });

  it('is warned of anew when a later one comes', async () => {
    const node = await startNode(redis.url);
    const desktop = await Desktop.open(node.ports.public, tokenFor('bob', 'acme', 4));
    desktop.say({ type: 'hello', machine: { id: 'pc' } });
    await desktop.told('token_expiring');
    desktop.say({ type: 'refresh', token: tokenFor('bob', 'acme', 8) });
    await eventually(() => desktop.received.filter(({ type }) => type === 'token_expiring').length === 2);
    desktop.ws.terminate();
    await node.stop();
  });
});

describe('promise 10: a token that has ended', () => {
  it('takes no seat from anybody, though it was good when the connection began', async () => {
    const node = await startNode(redis.url, {
      SOLESEAT_LEASE_TTL_MS: '600000',
      SOLESEAT_RENEW_EVERY_MS: '200000',
    });
    const holder = await Desktop.hello(node.ports.public, 'kay', 'workstation');
    await holder.told('welcome');
    // Whole seconds, of which the first has begun: long enough for a slow machine to come to the conflict.
    const endsAtMs = Date.now() + 4000;
    const visitor = await Desktop.open(node.ports.public, tokenFor('kay', 'acme', 4));
    visitor.say({ type: 'hello', machine: { id: 'laptop' }, onConflict: 'deny' });
    await visitor.told('conflict');
    await eventually(() => Date.now() > endsAtMs);
    visitor.say({ type: 'takeover' });
    expect(await visitor.close()).toEqual({ code: 4001, reason: 'token_expired' });
    expect(holder.closed).toBeNull();
    expect(holder.find('evicted')).toBeUndefined();
    await node.stop();
  });

  it('is asked for anew, in hello as well as in a refresh', async () => {
    const node = await startNode(redis.url);
    const over = tokenFor('eve', 'acme', -10);
    const late = await Desktop.open(node.ports.public, null);
    late.say({ type: 'hello', machine: { id: 'pc' }, token: over });
    expect(await late.close()).toEqual({ code: 4001, reason: 'token_expired' });
    const seated = await Desktop.hello(node.ports.public, 'eve', 'pc');
    await seated.told('welcome');
    seated.say({ type: 'refresh', token: over });
    expect(await seated.close()).toEqual({ code: 4001, reason: 'token_expired' });
    await node.stop();
  });
});
