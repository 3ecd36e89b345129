import { beforeEach, expect, it } from 'vitest';
import { ended, startCommand } from '../support/command.js';
import { Desktop, resume } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { PATIENT, SECRET, startNode } from '../support/node.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();
beforeEach(async () => {
  await redis.client.flushall();
});
const soleseat = (...args: string[]) =>
  ended(startCommand(['node', ...args], { REDIS_URL: redis.url, SOLESEAT_JWT_SECRET: SECRET }));

async function readiness({ ports }: { readonly ports: { readonly admin: number } }): Promise<number> {
  return (await fetch(`http://127.0.0.1:${ports.admin}/readyz`)).status;
}

it('empties a node by command: its sessions resume elsewhere, it takes none, and takes them again when told to', async () => {
  const [leaving, staying] = [await startNode(redis.url, PATIENT), await startNode(redis.url, PATIENT)];
  const desktops = await Promise.all(
    Array.from({ length: 5 }, (_, i) => Desktop.hello(leaving.ports.public, `user-${i}`, 'pc')),
  );
  const before = await Promise.all(desktops.map((desktop) => desktop.told('welcome')));
  await eventually(async () => (await leaving.store.nodes.list()).length === 2);
  const list = JSON.parse((await soleseat('list', '--json')).out);
  expect(list.map(({ nodeId }: { nodeId: string }) => nodeId).sort()).toEqual(
    [leaving.nodeId, staying.nodeId].sort(),
  );

  const [drained] = await Promise.all([
    soleseat('drain', leaving.nodeId),
    ...desktops.map((desktop) => desktop.close()),
  ]);
  expect(drained).toMatchObject({ code: 0, out: expect.stringContaining('is empty') });
  expect(desktops.map(({ closed }) => closed?.code)).toEqual(desktops.map(() => 1012));
  expect(await readiness(leaving)).toBe(503);
  await expect(Desktop.hello(leaving.ports.public, 'late', 'pc')).rejects.toThrow(/503/);
  const after = await Promise.all(
    desktops.map(async (desktop, i) =>
      (await resume(staying.ports.public, `user-${i}`, 'pc', desktop)).told('welcome'),
    ),
  );
  expect(after.map(({ sessionId }) => sessionId)).toEqual(before.map(({ sessionId }) => sessionId));
  expect((await soleseat('list')).out).toMatch(/draining/);

  expect(await soleseat('undrain', leaving.nodeId)).toMatchObject({ code: 0 });
  await eventually(async () => (await readiness(leaving)) === 200);
  await (await Desktop.hello(leaving.ports.public, 'late', 'pc')).told('welcome');
  // Nothing of it is left behind, whatever came of the node.
  await leaving.store.nodes.drain(leaving.nodeId);
  await Promise.all([leaving.stop(), staying.stop()]);
  expect(await redis.client.exists('soleseat:node-drains')).toBe(0);
});

it('says which nodes it does not know', async () => {
  const nodes = [await startNode(redis.url), await startNode(redis.url)];
  await eventually(async () => (await nodes[0]?.store.nodes.list())?.length === 2);
  const common = nodes[0]?.nodeId.slice(0, 4) ?? '';
  for (const name of ['nobody', '', common]) expect((await soleseat('drain', name)).code).toBe(1);
  expect((await soleseat('drain', common)).err).toContain('several nodes');
  // By the beginning of its id, and without a session to move.
  let length = 1;
  while (nodes[1]?.nodeId.startsWith(nodes[0]?.nodeId.slice(0, length) ?? '')) length += 1;
  expect(await soleseat('drain', nodes[0]?.nodeId.slice(0, length) ?? '')).toMatchObject({ code: 0 });
  await Promise.all(nodes.map((node) => node.stop()));
});

it('says so where it cannot tell that a node is empty: one that is silent, and one that does not obey', async () => {
  const staying = await startNode(redis.url);
  const beat = (nodeId: string, ms: number) =>
    Promise.all([
      redis.client.zadd('soleseat:nodes', ms, nodeId),
      redis.client.hset('soleseat:node-info', nodeId, JSON.stringify({ version: '0.1.0', state: 'ready' })),
    ]);
  await beat('silent-one', Date.now() - 10_000);
  expect(await soleseat('drain', 'silent-one')).toMatchObject({
    code: 1,
    err: expect.stringContaining('is silent'),
  });
  // Of a version that beats and has never heard of orders.
  const beats = setInterval(() => void beat('old-one', Date.now()), 200);
  await beat('old-one', Date.now());
  const told = await soleseat('drain', 'old-one');
  clearInterval(beats);
  expect(told).toMatchObject({ code: 1, err: expect.stringContaining('0.1.0') });
  await staying.stop();
});

it('stays told where it was out of Redis for long and forgotten; one that is told to stay moves nobody any more', async () => {
  const [node, other] = [await startNode(redis.url), await startNode(redis.url)];
  await eventually(async () => (await node.store.nodes.list()).length === 2);
  await node.store.nodes.drain(node.nodeId);
  await eventually(async () => (await readiness(node)) === 503);
  await redis.client.zadd('soleseat:nodes', 'XX', Date.now() - 3_600_000, node.nodeId);
  await other.store.nodes.forgetSilent();
  await eventually(async () =>
    (await node.store.nodes.list()).some(({ nodeId, isLive }) => isLive && nodeId === node.nodeId),
  );
  expect(await redis.client.sismember('soleseat:node-drains', node.nodeId)).toBe(1);
  expect(await readiness(node)).toBe(503);
  await Promise.all([node.stop(), other.stop()]);
});

it('undrain stops a drain that runs', async () => {
  const node = await startNode(redis.url, { ...PATIENT, SOLESEAT_DRAIN_MS: '8000' });
  const desktops = await Promise.all(
    Array.from({ length: 40 }, (_, i) => Desktop.hello(node.ports.public, `mover-${i}`, 'pc')),
  );
  await Promise.all(desktops.map((desktop) => desktop.told('welcome')));
  await eventually(async () => (await node.store.nodes.list()).some(({ nodeId }) => nodeId === node.nodeId));
  await soleseat('drain', '--no-wait', node.nodeId);
  await eventually(() => desktops.some(({ closed }) => closed !== null));
  await soleseat('undrain', node.nodeId);
  await eventually(async () => (await readiness(node)) === 200);
  const moved = desktops.filter(({ closed }) => closed !== null).length;
  const since = performance.now();
  await eventually(() => performance.now() - since > 8500);
  expect(desktops.filter(({ closed }) => closed !== null).length).toBe(moved);
  expect(moved).toBeLessThan(40);
  await node.stop();
});
