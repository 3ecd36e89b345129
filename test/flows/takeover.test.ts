import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { SELDOM, startNode, tokenFor } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { testRedis } from '../support/redis.js';
import { RedisProxy } from '../support/redis-proxy.js';

let redis: RedisProcess;
let store: Redis;
let near: Broker;
let far: Broker;

beforeAll(async () => {
  redis = await testRedis();
  store = new Redis(redis.url);
  near = await startNode(redis.url, SELDOM);
  far = await startNode(redis.url, SELDOM);
});
afterAll(async () => {
  await Promise.all([near.stop(), far.stop()]);
  store.disconnect();
  await redis.stop();
});

describe('takeover', () => {
  it.each(['near', 'far'])(
    'promise 4: the loser is told who took the seat, when and why (winner on the %s node)',
    async (where) => {
      const user = `told-${where}`;
      const workstation = await Desktop.hello(near.ports.public, user, 'workstation');
      await workstation.told('welcome');
      const laptop = await Desktop.hello((where === 'near' ? near : far).ports.public, user, 'laptop');
      const welcome = await laptop.told('welcome');
      expect(welcome.displaced).toEqual({ machine: { name: 'workstation' } });
      const evicted = await workstation.told('evicted');
      expect(evicted).toMatchObject({
        reason: 'taken_over',
        by: { machine: { name: 'laptop' } },
        epoch: welcome.epoch,
      });
      expect(Math.abs(evicted.at - Date.now())).toBeLessThan(60_000);
      expect(await workstation.close()).toEqual({ code: 4509, reason: 'taken_over' });
    },
  );

  it("promise 3: the newcomer gets in while the loser's node is frozen", async () => {
    const frozen = await NodeProcess.start(redis.url, {
      SOLESEAT_LEASE_TTL_MS: '60000',
      SOLESEAT_RENEW_EVERY_MS: '20000',
    });
    const workstation = await Desktop.hello(frozen.ports.public, 'frozen', 'workstation');
    const first = await workstation.told('welcome');
    frozen.signal('SIGSTOP');
    const laptop = await Desktop.hello(near.ports.public, 'frozen', 'laptop');
    const second = await laptop.told('welcome');
    expect(second.epoch).toBeGreaterThan(first.epoch);
    expect(await store.pttl('soleseat:{acme}:lease:frozen')).toBeGreaterThan(0);
    frozen.signal('SIGCONT');
    expect((await workstation.told('evicted')).epoch).toBe(second.epoch);
    await frozen.kill();
  });

  it('an eviction that arrives between claim and welcome is told, and no welcome is sent', async () => {
    const proxy = await RedisProxy.start(redis.url);
    const slow = await startNode(proxy.url);
    const marker = await Desktop.hello(slow.ports.public, 'marker', 'workstation');
    await marker.told('welcome');
    const early = await Desktop.open(slow.ports.public, tokenFor('early'));
    proxy.holdReplies();
    early.say({ type: 'hello', machine: { id: 'workstation' } });
    await eventually(async () => (await store.exists('soleseat:{acme}:lease:early')) === 1);
    const laptop = await Desktop.hello(near.ports.public, 'early', 'laptop');
    const winner = await laptop.told('welcome');
    // The inbox keeps its order: once the marker is told, the notice for the claim under way has come too.
    await (await Desktop.hello(near.ports.public, 'marker', 'laptop')).told('welcome');
    await marker.told('evicted');
    proxy.passReplies();
    expect(await early.close()).toEqual({ code: 4509, reason: 'taken_over' });
    expect(early.find('welcome')).toBeUndefined();
    expect(early.find('evicted')?.epoch).toBe(winner.epoch);
    await slow.stop();
    proxy.stop();
  });

  it('promise 5: with every notice lost, renewal finds out', async () => {
    const proxy = await RedisProxy.start(redis.url);
    const deaf = await startNode(proxy.url, { SOLESEAT_PROBE_EVERY_MS: '1h' });
    const workstation = await Desktop.hello(deaf.ports.public, 'deaf', 'workstation');
    await workstation.told('lease');
    proxy.losesInbox = true;
    const laptop = await Desktop.hello(near.ports.public, 'deaf', 'laptop');
    const winner = await laptop.told('welcome');
    expect(await workstation.told('evicted')).toMatchObject({
      reason: 'taken_over',
      epoch: winner.epoch,
      by: { machine: { name: 'laptop' } },
    });
    const counted = 'soleseat_evictions_total{reason="taken_over",path="renewal"} 1';
    await eventually(async () => (await deaf.metrics.registry.metrics()).includes(counted));
    await deaf.stop();
    proxy.stop();
  });

  it('promise 5: a dead inbox is found by its probe, and everything is verified after the resubscribe', async () => {
    const proxy = await RedisProxy.start(redis.url);
    const deaf = await startNode(proxy.url, { ...SELDOM, SOLESEAT_PROBE_EVERY_MS: '200' });
    const workstation = await Desktop.hello(deaf.ports.public, 'probe', 'workstation');
    await workstation.told('welcome');
    proxy.losesInbox = true;
    await (await Desktop.hello(near.ports.public, 'probe', 'laptop')).told('welcome');
    await eventually(async () => /probe_failures_total [1-9]/.test(await deaf.metrics.registry.metrics()));
    proxy.losesInbox = false;
    // The notice is lost, and no renewal comes: only the verification can tell it.
    expect((await workstation.told('evicted')).reason).toBe('taken_over');
    await deaf.stop();
    proxy.stop();
  });

  it("promise 1: a late release of the loser does not free the winner's seat", async () => {
    const laptop = await Desktop.hello(near.ports.public, 'late', 'laptop');
    const old = await laptop.told('welcome');
    const again = await Desktop.hello(far.ports.public, 'late', 'laptop', {
      resume: { sessionId: old.sessionId, epoch: old.epoch },
    });
    const resumed = await again.told('welcome');
    expect(resumed).toMatchObject({ resumed: true, sessionId: old.sessionId });
    expect(await laptop.close()).toEqual({ code: 4509, reason: 'superseded' });
    laptop.ws.terminate();
    expect(await store.get('soleseat:{acme}:lease:late')).toContain(`${resumed.sessionId}:${resumed.epoch}:`);
  });

  it('another process of the machine closes no window by itself: deny is a conflict, and a person decides', async () => {
    const program = (instance: string, onConflict: 'deny' | 'takeover') => ({
      instance,
      attempt: 1,
      onConflict,
    });
    const first = await Desktop.hello(near.ports.public, 'same', 'laptop', program('one', 'takeover'));
    const { sessionId, epoch } = await first.told('welcome');
    const resume = { sessionId, epoch };
    const copy = { ...program('two', 'deny'), resume };
    const second = await Desktop.hello(far.ports.public, 'same', 'laptop', copy);
    expect((await second.told('conflict')).holder).toMatchObject({ sameMachine: true });
    expect(first.closed).toBeNull();
    second.say({ type: 'takeover' });
    expect((await second.told('welcome')).displaced).toBeUndefined();
    expect(await first.close()).toEqual({ code: 4509, reason: 'superseded' });
  });

  it('promise 15: an older hello of a program that is connected changes nothing, and is told so', async () => {
    const live = await Desktop.hello(near.ports.public, 'ghost', 'laptop', { instance: 'one', attempt: 7 });
    await live.told('welcome');
    const ghost = await Desktop.hello(far.ports.public, 'ghost', 'laptop', { instance: 'one', attempt: 6 });
    // [broker-stale-attempt]
    expect(await ghost.close()).toEqual({ code: 4409, reason: 'stale_attempt' });
    expect(live.closed).toBeNull();
    const again = await Desktop.hello(far.ports.public, 'ghost', 'laptop', { instance: 'one', attempt: 8 });
    expect((await again.told('welcome')).resumed).toBe(true);
    expect(await live.close()).toEqual({ code: 4509, reason: 'superseded' });
  });

  it('deny leaves the holder alone, and takeover on the same connection then takes the seat', async () => {
    const holder = await Desktop.hello(near.ports.public, 'deny', 'workstation');
    await holder.told('welcome');
    const visitor = await Desktop.hello(far.ports.public, 'deny', 'laptop', { onConflict: 'deny' });
    expect((await visitor.told('conflict')).holder.machine).toEqual({ name: 'workstation' });
    expect(holder.closed).toBeNull();
    visitor.say({ type: 'takeover' });
    await visitor.told('welcome');
    expect((await holder.close()).code).toBe(4509);
  });

  it('who waits with a conflict is told that the holder left; takeover then displaces nobody', async () => {
    const holder = await Desktop.hello(near.ports.public, 'leaves', 'workstation');
    await holder.told('welcome');
    const visitor = await Desktop.hello(far.ports.public, 'leaves', 'laptop', { onConflict: 'deny' });
    await visitor.told('conflict');
    visitor.say({ type: 'refresh', token: tokenFor('leaves') });
    holder.say({ type: 'release' });
    expect((await holder.close()).code).toBe(1000);
    await visitor.told('seat_free');
    await visitor.caughtUp();
    expect([visitor.received.map(({ type }) => type), visitor.closed]).toEqual([
      ['conflict', 'seat_free'],
      null,
    ]);
    visitor.say({ type: 'takeover' });
    expect(await visitor.told('welcome')).not.toHaveProperty('displaced');
  });

  it('two machines that fight are stopped: the one over the limit and the holder are told flapping, the holder stays', async () => {
    const node = await startNode(redis.url, { SOLESEAT_TAKEOVERS_PER_MINUTE: '2' });
    const dial = (machine: string) => Desktop.hello(node.ports.public, 'fight', machine);
    await (await dial('a')).told('welcome');
    await (await dial('b')).told('welcome');
    const holder = await dial('a');
    await holder.told('welcome');
    const refused = await dial('b');
    expect((await refused.close()).code).toBe(4529);
    expect(refused.find('error')?.retryAfterMs).toBeGreaterThan(0);
    expect(await holder.told('error')).toMatchObject({
      code: 'flapping',
      message: expect.stringContaining('b'),
    });
    expect(holder.closed).toBeNull();
    await node.stop();
  });

  it('promise 10: a failed login and a missing license change nothing', async () => {
    const strict = await startNode(redis.url, { SOLESEAT_LICENSE_MODE: 'required' });
    const holder = await Desktop.hello(near.ports.public, 'right', 'workstation');
    await holder.told('welcome');
    const before = await store.get('soleseat:{acme}:lease:right');
    const stranger = await Desktop.open(strict.ports.public, null);
    stranger.say({ type: 'hello', machine: { id: 'laptop' }, token: `${tokenFor('right')}x` });
    expect(await stranger.close()).toEqual({ code: 4501, reason: 'unauthorized' });
    const unlicensed = await Desktop.hello(strict.ports.public, 'right', 'laptop');
    expect(await unlicensed.close()).toEqual({ code: 4513, reason: 'license_required' });
    expect(holder.closed).toBeNull();
    expect(await store.get('soleseat:{acme}:lease:right')).toBe(before);
    await strict.stop();
  });
});
