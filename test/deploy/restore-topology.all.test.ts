import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster, Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { helloOf } from '../support/crowd.js';
import { eventually } from '../support/eventually.js';
import { startNode } from '../support/node.js';
import { redisScript } from '../support/redis-scripts.js';
import { ask, testCluster, testSentinels } from '../support/redis-topology.js';

const orgs = Array.from({ length: 9 }, (_, i) => `org-${i}`);

function folderFor(): string {
  const folder = mkdtempSync(join(tmpdir(), 'soleseat-restore-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function dirOf({ port }: RedisProcess): Promise<string> {
  return ((await ask(port, 'CONFIG', 'GET', 'dir')) as string[])[1] ?? '';
}

async function backUp({ port }: RedisProcess, file: string): Promise<void> {
  const made = await redisScript('backup.sh', [file, '-h', '127.0.0.1', '-p', String(port)]);
  expect(made, made.err).toMatchObject({ code: 0 });
}

async function killAll(servers: readonly RedisProcess[]): Promise<void> {
  const pids = servers.map(({ pid }) => pid);
  for (const server of servers) server.kill('SIGKILL');
  await eventually('the servers have ended', () => pids.every((pid) => !existsSync(`/proc/${pid}/exe`)));
}

/** Epochs of a first claim in each org. */
async function seatIn(port: number): Promise<number[]> {
  const desktops = await Promise.all(orgs.map((org) => helloOf(port, org, 'ada')));
  return Promise.all(desktops.map(async (desktop) => (await desktop.told('welcome')).epoch));
}

it('the masters of a cluster are restored each from its own file, and all orgs begin new reigns', async () => {
  const cluster = await testCluster();
  onTestFinished(() => cluster.stop());
  const first = await startNode(cluster.url);
  const before = await seatIn(first.ports.public);
  const [masters, replicas] = [cluster.servers.slice(0, 3), cluster.servers.slice(3)];
  const folder = folderFor();
  const copies = await Promise.all(
    masters.map(async (server, i) => {
      const copy = { server, file: join(folder, `${i}.rdb`), dir: await dirOf(server) };
      await backUp(server, copy.file);
      return copy;
    }),
  );
  await first.stop();
  const store = new Cluster(cluster.servers.map(({ port }) => ({ host: '127.0.0.1', port })));
  store.on('error', () => {});
  onTestFinished(() => store.disconnect());
  for (const org of orgs) await store.del(`soleseat:{${org}}:epoch`, `soleseat:{${org}}:counters`);

  await killAll(cluster.servers);
  for (const { file, dir } of copies) {
    const put = await redisScript('restore.sh', ['--no-appendonly', file, dir]);
    expect(put, put.err).toMatchObject({ code: 0 });
  }
  await Promise.all(masters.map((server) => server.restart()));
  await Promise.all(replicas.map((server) => server.restart()));
  await eventually('the cluster is whole', async () =>
    String(await ask(masters[0]?.port ?? 0, 'CLUSTER', 'INFO')).includes('cluster_state:ok'),
  );
  for (const org of orgs) expect(await store.hget(`soleseat:{${org}}:counters`, 'granted')).toBe('1');
  const again = await startNode(cluster.url);
  onTestFinished(() => again.stop());
  const after = await seatIn(again.ports.public);
  for (const [i, epoch] of after.entries()) expect(epoch).toBeGreaterThan((before[i] ?? 0) + 1e6);
});

it('the master under Sentinels is restored, and its replicas copy it', async () => {
  const { url, servers, sentinels, stop } = await testSentinels();
  onTestFinished(stop);
  const [master, ...replicas] = servers;
  if (master === undefined) throw new Error('there is a master');
  const file = join(folderFor(), 'soleseat.rdb');
  const client = new Redis(master.port);
  client.on('error', () => {});
  onTestFinished(() => client.disconnect());
  await client.set('key', 'of the backup');
  await backUp(master, file);
  await client.set('key', 'newer');
  const dir = await dirOf(master);
  await killAll([...sentinels, ...servers]);
  const put = await redisScript('restore.sh', ['--no-appendonly', file, dir]);
  expect(put, put.err).toMatchObject({ code: 0 });
  await master.restart();
  for (const server of [...replicas, ...sentinels]) await server.restart();
  for (const { port } of replicas)
    await eventually(async () => (await ask(port, 'GET', 'key').catch(() => null)) === 'of the backup');
  const node = await startNode(url);
  onTestFinished(() => node.stop());
  expect((await seatIn(node.ports.public)).length).toBe(orgs.length);
  expect(await client.get('key')).toBe('of the backup');
});
