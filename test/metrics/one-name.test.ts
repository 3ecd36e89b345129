import { expect, it } from 'vitest';
import { createMetrics } from '../../src/base/metrics.js';
import { RedisWatch } from '../../src/store/watch/redis-watch.js';

const infoOf =
  (runId: string, role = 'master') =>
  async () =>
    `role:${role}\r\nrun_id:${runId}\r\n`;

/** The addresses whose servers are up, or, marked with a minus, down. */
async function shown(metrics: ReturnType<typeof createMetrics>): Promise<string[]> {
  const { values } = await metrics.serverUp.get();
  return values.map(({ labels, value }) => (value === 1 ? '' : '-') + String(labels.address)).sort();
}

it('a server that a cluster names by its host after it was dialled by its address is one server', async () => {
  const metrics = createMetrics();
  const servers = { now: [{ address: '127.0.0.1:7000', redis: { info: infoOf('a') } }] };
  const parts = { missedForMs: 3_600_000, clock: () => performance.now(), metrics };
  const watch = new RedisWatch({ ...parts, servers: () => servers.now });
  await watch.look();
  expect(await shown(metrics)).toEqual(['127.0.0.1:7000']);
  servers.now = [
    { address: 'redis-1.example:7000', redis: { info: infoOf('a') } },
    { address: 'redis-2.example:7000', redis: { info: infoOf('b', 'slave') } },
    { address: '127.0.0.2:7000', redis: { info: infoOf('b', 'slave') } },
  ];
  await watch.look();
  expect(await shown(metrics)).toEqual(['redis-1.example:7000', 'redis-2.example:7000']);
  // One that is gone is still told of.
  servers.now = servers.now.slice(0, 1);
  await watch.look();
  expect(await shown(metrics)).toEqual(['-redis-2.example:7000', 'redis-1.example:7000']);
});
