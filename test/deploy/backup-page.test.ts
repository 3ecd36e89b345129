import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { provisionRedis } from '../../src/embedded/find-redis.js';
import { pickFreePort } from '../../src/embedded/redis-probe.js';
import { startRedis } from '../../src/embedded/redis-process.js';
import { Desktop } from '../support/desktop.js';
import { startNode, tokenFor } from '../support/node.js';
import { blockOf, shell, toolEnv } from '../support/redis-scripts.js';
import { orderFor } from '../support/store.js';

const root = resolve(import.meta.dirname, '..', '..');
const { path } = await provisionRedis();

/** A folder in which the lines of the page find all that they name: the scripts, redis-cli, redis-server, soleseat. */
function place() {
  const folder = mkdtempSync(join(tmpdir(), 'soleseat-page-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const programs = join(folder, 'bin');
  mkdirSync(programs);
  symlinkSync(join(root, 'deploy'), join(folder, 'deploy'));
  const { REDIS_CLI = '', REDIS_CHECK_RDB = '', PATH = '' } = toolEnv();
  const named = {
    'redis-cli': REDIS_CLI,
    'redis-check-rdb': REDIS_CHECK_RDB,
    'redis-server': path,
    soleseat: `${process.execPath} ${join(root, 'dist', 'cli', 'main.js')}`,
  };
  for (const [name, command] of Object.entries(named)) {
    const outside = command === name ? `PATH='${PATH}' ${name}` : command;
    writeFileSync(join(programs, name), `#!/bin/sh\nexec env ${outside} "$@"\n`, { mode: 0o755 });
  }
  return { folder, env: { PATH: `${programs}:${PATH}`, HOME: folder } };
}

/** Where the drill came to its end, it has ended the server itself. */
function endDaemon(pidFile: string): void {
  if (existsSync(pidFile)) process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
}

async function redisWithNode() {
  const redis = await startRedis({ binary: path, extraArgs: ['--repl-diskless-sync-delay', '0'] });
  const client = new Redis(redis.url);
  const node = await startNode(redis.url);
  onTestFinished(async () => {
    await node.stop();
    client.disconnect();
    await redis.stop();
  });
  return { redis, client, node };
}

it('the commands for a backup and the drill run as they stand in docs/backup.md', async () => {
  const { redis, client, node } = await redisWithNode();
  for (const user of ['ada', 'ben']) {
    const order = { ...orderFor(user), id: user, requestId: user };
    expect(await node.store.licenses.issue(order)).toMatchObject({ outcome: 'done' });
  }
  await node.store.nodes.enter(['acme']);
  await node.store.owners.add('joan', Date.now(), { name: 'test', role: 'redis' });
  await client.hset('soleseat:webhooks', 'w1', '{}');
  const { folder, env } = place();
  const [, , ...rules] = blockOf('backup-user').trim().split(' ');
  await client.acl('SETUSER', ...(rules as [string, ...string[]]));
  const made = await shell(blockOf('backup').replace('6379', String(redis.port)), folder, env);
  expect(made, made.err).toMatchObject({ code: 0 });

  const ports = [await pickFreePort(), await pickFreePort(), await pickFreePort()];
  const lines = blockOf('drill').replace(/7390|8390|9390/g, () => String(ports.shift()));
  onTestFinished(() => endDaemon(join(folder, 'drill', 'redis.pid')));
  const drill = await shell(lines, folder, env);
  expect(drill, drill.err).toMatchObject({ code: 0 });
  expect(drill.out).toContain('acme');
  expect(drill.out).toContain('joan');
  expect(readFileSync(join(folder, 'drill', 'licenses.csv'), 'utf8')).toMatch(/ada[\s\S]*ben/);
  // It has ended what it started.
  expect(existsSync(join(folder, 'drill', 'redis.pid'))).toBe(false);
  // The real one has lost nothing by it.
  expect(await client.exists('soleseat:webhooks')).toBe(1);
});

it('the command that begins new reigns in a Redis that runs on reaches orgs of every name', async () => {
  const { redis, client, node } = await redisWithNode();
  const orgs = ['acme', "it's a test", 'a*[b]', 'Grün 🌳', '"quoted" \\'];
  const claimed = async (org: string) => {
    const desktop = await Desktop.open(node.ports.public, tokenFor('ada', org));
    desktop.say({ type: 'hello', machine: { id: 'pc' } });
    const { epoch } = await desktop.told('welcome');
    desktop.ws.terminate();
    return epoch;
  };
  const before = await Promise.all(orgs.map(claimed));
  const { folder, env } = place();
  const done = await shell(blockOf('new-reign').replaceAll('6379', String(redis.port)), folder, env);
  expect(done, done.err).toMatchObject({ code: 0 });
  expect(await client.keys('soleseat:{*}:epoch')).toEqual([]);
  const after = await Promise.all(orgs.map(claimed));
  // A reign begins a million above the last epoch, at least.
  for (const [i, epoch] of after.entries()) expect(epoch - (before[i] ?? 0)).toBeGreaterThan(999_999);
});
