import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { Leases } from '../../src/store/leases.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { SELDOM, startNode, UNHURRIED } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { testRedis } from '../support/redis.js';
import { RedisProxy } from '../support/redis-proxy.js';

let redis: RedisProcess;
let store: Redis;

beforeAll(async () => {
  redis = await testRedis();
  store = new Redis(redis.url);
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  store.disconnect();
  await redis.stop();
});

function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

const typesOf = (desktop: Desktop) => desktop.received.map(({ type }) => type);

describe('a user who gives the seat back while it is being renewed', () => {
  it('is not told `evicted`, though the renewal finds the seat gone', async () => {
    const [renewing, released, renewed] = [gate(), gate(), gate()];
    const { renew, release } = Leases.prototype;
    vi.spyOn(Leases.prototype, 'renew').mockImplementation(async function (this: Leases, org, held) {
      renewing.open();
      await released.opened;
      return renew.call(this, org, held).finally(renewed.open);
    });
    vi.spyOn(Leases.prototype, 'release').mockImplementation(async function (this: Leases, lease) {
      const answer = await release.call(this, lease);
      released.open();
      // The answer of the release is the later one to arrive.
      await renewed.opened;
      await new Promise((resolve) => setImmediate(resolve));
      return answer;
    });
    const node = await startNode(redis.url);
    const desktop = await Desktop.hello(node.ports.public, 'ada', 'desk');
    await desktop.told('welcome');
    await renewing.opened;
    desktop.say({ type: 'release' });
    expect(await desktop.close()).toEqual({ code: 1000, reason: 'released' });
    expect(typesOf(desktop)).toEqual(['welcome']);
    expect(await node.metrics.registry.metrics()).not.toMatch(/soleseat_evictions_total\{.*\} [1-9]/);
    await node.stop();
  });

  it('is not told `jeopardy`, though neither the renewal nor the release is answered', async () => {
    const proxy = await RedisProxy.start(redis.url);
    const node = await startNode(proxy.url);
    const desktop = await Desktop.hello(node.ports.public, 'kay', 'desk');
    await desktop.told('lease');
    proxy.holdReplies();
    const lease = 'soleseat:{acme}:lease:kay';
    let leftMs = await store.pttl(lease);
    await eventually(async () => {
      const before = leftMs;
      leftMs = await store.pttl(lease);
      return leftMs > before;
    });
    desktop.say({ type: 'release' });
    await eventually(async () => (await store.exists(lease)) === 0);
    expect((await desktop.close()).code).toBe(1000);
    expect(typesOf(desktop).filter((type) => type !== 'lease')).toEqual(['welcome']);
    proxy.passReplies();
    await node.stop();
    proxy.stop();
  });
});

describe('a connection that its program closes', () => {
  const lease = (user: string) => `soleseat:{acme}:lease:${user}`;

  it('with 1000 gives the seat back', async () => {
    const node = await startNode(redis.url, SELDOM);
    const desktop = await Desktop.hello(node.ports.public, 'lea', 'desk');
    await desktop.told('welcome');
    desktop.ws.close(1000);
    await eventually(async () => (await store.exists(lease('lea'))) === 0);
    expect(await store.get('soleseat:{acme}:fence:lea')).toMatch(/:released$/);
    await node.stop();
  });

  it('with 1000 is logged as a release, and one that breaks as a lost connection', async () => {
    const node = await NodeProcess.start(redis.url, { ...UNHURRIED, SOLESEAT_LOG_LEVEL: 'info' });
    const closed = await Desktop.hello(node.ports.public, 'mia', 'desk');
    const broken = await Desktop.hello(node.ports.public, 'max', 'desk');
    const sessions = await Promise.all(
      [closed, broken].map(async (one) => (await one.told('welcome')).sessionId),
    );
    closed.ws.close(1000);
    await closed.close();
    broken.ws.terminate();
    const endings = () =>
      sessions.map((sessionId) =>
        node.lines.filter((line) => line.includes(sessionId) && !line.includes('"session granted"')),
      );
    await eventually(() => endings().every((lines) => lines.length > 0));
    // After all that it had to say.
    node.signal('SIGTERM');
    await node.ended();
    expect(endings()).toEqual([
      [expect.stringMatching(/"reason":"released","msg":"session released"/)],
      [expect.stringMatching(/"reason":"1006","msg":"session lost its connection"/)],
    ]);
  });

  it('with anything else, or not at all, leaves the seat for a resume', async () => {
    const node = await startNode(redis.url, SELDOM);
    const users = ['away', 'none', 'lost'];
    const [away, none, lost] = await Promise.all(
      users.map((user) => Desktop.hello(node.ports.public, user, 'desk')),
    );
    for (const desktop of [away, none, lost]) await desktop?.told('welcome');
    away?.ws.close(1001);
    none?.ws.close();
    lost?.ws.terminate();
    await eventually(async () => /^soleseat_sessions 0$/m.test(await node.metrics.registry.metrics()));
    // On the same connection to Redis: a release would have come before it.
    expect(
      await node.store.leases.evict({
        org: 'acme',
        user: 'nobody',
        reason: 'evicted_by_admin',
        actor: 'ops',
      }),
    ).toBeNull();
    expect(await store.exists(...users.map(lease))).toBe(3);
    await node.stop();
  });
});
