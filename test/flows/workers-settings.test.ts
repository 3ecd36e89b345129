import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { keyRingFromSecret } from '../../src/auth/read-keys.js';
import { mintToken } from '../../src/auth/tokens.js';
import { pickFreePort } from '../../src/embedded/redis-probe.js';
import { startCommand } from '../support/command.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { PATIENT, SECRET, testTexts } from '../support/node.js';
import { useRedis } from '../support/redis.js';
import { liveNodes, seatMany, workersOf } from '../support/worker-group.js';

const redis = useRedis();

/** One whose key stands in a file, in an environment that nothing else is in. */
async function groupByFile(workers: number) {
  const folder = mkdtempSync(join(tmpdir(), 'soleseat-workers-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'secret');
  writeFileSync(file, SECRET);
  const { SOLESEAT_JWT_SECRET: _, ...texts } = testTexts(redis.url, PATIENT);
  const ports = { public: await pickFreePort(), admin: await pickFreePort() };
  const child = startCommand(['serve'], {
    ...texts,
    SOLESEAT_JWT_SECRET_FILE: file,
    SOLESEAT_LOG_LEVEL: 'error',
    SOLESEAT_WORKERS: String(workers),
    SOLESEAT_PORT: String(ports.public),
    SOLESEAT_ADMIN_PORT: String(ports.admin),
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let err = '';
  child.stderr?.on('data', (data) => {
    err += data;
  });
  await eventually(
    'all workers are there',
    async () => (await liveNodes(redis.client, { ports })).length === workers,
  );
  return { child, ports, file, err: () => err };
}

it('reads keys anew in all of them at SIGHUP', async () => {
  const { child, ports, file } = await groupByFile(3);
  const other = `another ${SECRET}`;
  writeFileSync(file, other);
  child.kill('SIGHUP');
  const [key] = keyRingFromSecret(other).keys;
  if (key === undefined) throw new Error('there is a key');
  const token = (user: string) =>
    mintToken({ key, user, org: 'acme', issuer: 'soleseat', audience: 'soleseat', expiresInSeconds: 600 });
  await eventually('every worker takes the new key', async () => {
    const tried = Array.from({ length: 12 }, (_, i) =>
      Desktop.open(ports.public, token(`u${i}`)).catch(() => null),
    );
    return (await Promise.all(tried)).every((one) => one !== null);
  });
});

it('goes on where one that dies cannot read its settings any more, and is whole again when it can', async () => {
  const node = await groupByFile(2);
  const desktops = await seatMany(node, 12);
  writeFileSync(node.file, 'short');
  const [doomed = 0] = workersOf(node);
  process.kill(doomed, 'SIGKILL');
  await eventually('it is tried again and again', () => node.err().split('tried again').length > 2);
  // The reason is told, too.
  expect(node.err()).toContain('SOLESEAT_JWT_SECRET must');
  const lost = desktops.filter((one) => one.closed !== null);
  // All of them may have been at the one that died; the other one serves.
  await seatMany(node, 2, 'meanwhile');
  writeFileSync(node.file, SECRET);
  await eventually('both serve', async () => {
    const nodes = await liveNodes(redis.client, node);
    return nodes.length === 2 && workersOf(node).length === 2;
  });
  await seatMany(node, 4, 'later');
  expect(desktops.filter((one) => one.closed !== null)).toEqual(lost);
});
