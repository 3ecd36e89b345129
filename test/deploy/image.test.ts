import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
// @ts-expect-error: a script without types.
import { isRoot, startImage, takeSeat, whatItIs } from '../../scripts/image-process.mjs';
// @ts-expect-error: a script without types.
import { buildStages, runInFolder } from '../../scripts/image-steps.mjs';
import { pickFreePort } from '../../src/embedded/redis-probe.js';
import { eventually } from '../support/eventually.js';
import { SECRET } from '../support/node.js';
import { useRedis } from '../support/redis.js';
import { isAll } from '../support/scope.js';

const redis = useRedis();
const TIME_LIMIT_MS = 600_000;

/** The packages for the build are those that this project has already: `npm run test:all` and `npm run image` install them. */
async function runQuickly(folder: string, workdir: string, command: string, env: object): Promise<void> {
  if (command !== 'npm ci --include=dev --ignore-scripts') return runInFolder(folder, workdir, command, env);
  const source = resolve(import.meta.dirname, '..', '..', 'node_modules');
  const { status } = spawnSync('cp', ['-a', source, join(folder, workdir, 'node_modules')]);
  expect(status).toBe(0);
}

it('the steps of the Dockerfile give a node that runs as process 1, without rights, on a root that cannot be written', {
  timeout: TIME_LIMIT_MS,
}, async () => {
  const into = mkdtempSync(join(tmpdir(), 'soleseat-image-'));
  onTestFinished(() => rmSync(into, { recursive: true, force: true }));
  spawnSync('chmod', ['755', into]);
  const stage = await buildStages({ into, runIn: isAll ? runInFolder : runQuickly });
  const app = join(stage.folder, stage.workdir);
  expect(readdirSync(app).sort()).toEqual(['dist', 'node_modules', 'package.json', 'packages']);
  expect(existsSync(join(app, 'node_modules', 'vitest'))).toBe(false);

  const ports = { public: await pickFreePort(), admin: await pickFreePort() };
  const env = {
    REDIS_URL: redis.url,
    SOLESEAT_JWT_SECRET: SECRET,
    SOLESEAT_LICENSE_MODE: 'open',
    SOLESEAT_PORT: String(ports.public),
    SOLESEAT_ADMIN_PORT: String(ports.admin),
    SOLESEAT_DRAIN_MS: '200',
  };
  const image = startImage({ stage, env });
  onTestFinished(() => image.child.kill('SIGKILL'));
  await eventually('the node is ready', async () => {
    if (image.child.exitCode !== null) throw new Error(image.log());
    return fetch(`http://127.0.0.1:${ports.admin}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  });
  const health = spawnSync(process.execPath, stage.health.slice(1), { cwd: app, env });
  expect(health.status).toBe(0);
  if (isRoot)
    expect(whatItIs(image.pid(), stage.workdir)).toEqual({
      uid: '1000',
      isFirst: true,
      capabilities: '0000000000000000',
      isReadOnly: true,
    });
  else expect(() => writeFileSync(join(app, 'written'), '')).toThrow(/EACCES/);
  const { ws, message } = await takeSeat(ports.public, { secret: SECRET });
  expect(message.type).toBe('welcome');
  const told: string[] = [];
  ws.on('message', (data: Buffer) => told.push(JSON.parse(String(data)).type));
  // Process 1 gets no signal that it does not handle.
  process.kill(image.pid(), 'SIGTERM');
  await eventually('the node has ended', () => image.child.exitCode !== null);
  expect(image.child.exitCode, image.log()).toBe(0);
  expect(told).toContain('draining');
});
