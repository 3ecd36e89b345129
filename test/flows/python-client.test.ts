import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { startNode, tokenFor } from '../support/node.js';
import { testRedis } from '../support/redis.js';

const root = new URL('../../', import.meta.url);
// Written by the set-up of `npm test`: a Python with the `websockets` package.
const python = () =>
  JSON.parse(readFileSync(new URL('.soleseat/python.json', root), 'utf8')) as {
    path: string;
    pythonPath?: string;
  };

function startClient(
  port: number,
  user: string,
  machine: string,
): { child: ChildProcess; told: Record<string, unknown>[] } {
  const { path, pythonPath } = python();
  const script = fileURLToPath(new URL('examples/python_client.py', root));
  const env = { ...process.env, ...(pythonPath && { PYTHONPATH: pythonPath }) };
  const args = [script, `ws://127.0.0.1:${port}/v1/connect`, tokenFor(user), machine];
  const child = spawn(path, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const told: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout }).on('line', (line) =>
    told.push(JSON.parse(line) as Record<string, unknown>),
  );
  return { child, told };
}

it('a client of under 60 lines, written from PROTOCOL.md in another language, is granted, evicted and released', async () => {
  const lines = readFileSync(new URL('examples/python_client.py', root), 'utf8').trimEnd().split('\n');
  expect(lines.length).toBeLessThan(60);
  const redis = await testRedis();
  const node = await startNode(redis.url);
  const loser = startClient(node.ports.public, 'py', 'workstation');
  await eventually(() => loser.told.some(({ type }) => type === 'lease'));
  await (await Desktop.hello(node.ports.public, 'py', 'laptop')).told('welcome');
  const [evictedWith] = (await once(loser.child, 'close')) as [number];
  expect(loser.told.at(-1)).toMatchObject({
    type: 'evicted',
    reason: 'taken_over',
    by: { machine: { name: 'laptop' } },
  });
  expect(evictedWith).toBe(3);

  const other = startClient(node.ports.public, 'other', 'workstation');
  await eventually(() => other.told.some(({ type }) => type === 'welcome'));
  other.child.stdin?.write('release\n');
  const [releasedWith] = (await once(other.child, 'close')) as [number];
  expect(releasedWith).toBe(0);
  await node.stop();
  await redis.stop();
});
