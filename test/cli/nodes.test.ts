import { expect, it } from 'vitest';
import { ended, startCommand } from '../support/command.js';
import { Desktop, resume } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { PATIENT, SECRET, startNode } from '../support/node.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();
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
