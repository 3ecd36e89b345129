import { describe, expect, it } from 'vitest';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { SELDOM, startNode, tokenFor } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { useRedis } from '../support/redis.js';
import { RedisProxy } from '../support/redis-proxy.js';

const HOUR_MS = 3_600_000;
const redis = useRedis();

describe("a node's wall clock", () => {
  it('may be hours wrong: tokens, grants, renewals, takeovers and times are as ever', async () => {
    const shifted = (ms: number) =>
      NodeProcess.start(redis.url, {}, { hooks: { TEST_CLOCK_SHIFT_MS: String(ms), TEST_ON_SIGUSR2: '0' } });
    const [behind, ahead] = await Promise.all([shifted(-5 * HOUR_MS), shifted(5 * HOUR_MS)]);
    const workstation = await Desktop.hello(behind.ports.public, 'ada', 'workstation');
    const first = await workstation.told('welcome');
    await workstation.told('lease');
    const laptop = await Desktop.hello(ahead.ports.public, 'ada', 'laptop');
    const second = await laptop.told('welcome');
    expect(second.epoch).toBeGreaterThan(first.epoch);
    const { at } = await workstation.told('evicted');
    expect(Math.abs(at - Date.now())).toBeLessThan(60_000);
    await laptop.told('lease');
    // A token that has ended is refused, also where the node's clock says that it has not.
    for (const { ports } of [behind, ahead]) {
      await expect(Desktop.open(ports.public, tokenFor('bob', 'acme', -60))).rejects.toThrow('401');
    }
    await Promise.all([behind.kill(), ahead.kill()]);
  });
});

describe("Redis's clock", () => {
  it('is set: leases that ran out by it are back at once, not at the next renewal', async () => {
    const proxy = await RedisProxy.start(redis.url);
    const node = await startNode(proxy.url, SELDOM);
    const desktop = await Desktop.hello(node.ports.public, 'bob', 'pc');
    const { sessionId } = await desktop.told('welcome');
    // What a step ahead does to keys with a TTL; then TIME tells of it.
    await redis.client.del('soleseat:{acme}:lease:bob');
    proxy.clockAheadSeconds = 3600;
    await eventually(
      async () => (await redis.client.get('soleseat:{acme}:lease:bob'))?.startsWith(`${sessionId}:`) ?? false,
    );
    expect(desktop.closed).toBeNull();
    await node.stop();
    proxy.stop();
  });
});
