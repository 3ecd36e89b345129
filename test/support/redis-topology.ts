import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { settableClock } from '../../reliability/settable-clock.mjs';
import { provisionRedis } from '../../src/embedded/find-redis.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import {
  type RedisTopology,
  type SentinelTopology,
  startClusterTopology,
  startSentinelTopology,
  type TopologyOptions,
} from '../../src/embedded/redis-topology.js';

export async function testSentinels(more: Partial<TopologyOptions> = {}): Promise<SentinelTopology> {
  return startSentinelTopology({ binary: (await provisionRedis()).path, ...more });
}

/** Sentinels over servers of which the first, the master, has a clock of its own, so many seconds ahead. */
export async function sentinelsWithClock(
  aheadSeconds: number,
): Promise<SentinelTopology & { readonly setAhead: (seconds: number) => void }> {
  const { path } = await provisionRedis();
  const clock = settableClock();
  if (clock === null) throw new Error('the set-up found no C compiler');
  clock.set(aheadSeconds);
  const folder = mkdtempSync(join(tmpdir(), 'soleseat-redis-'));
  const wrapper = join(folder, 'redis-server');
  const settings = Object.entries(clock.env).map(([name, value]) => `export ${name}='${value}'`);
  writeFileSync(wrapper, `#!/bin/sh\n${settings.join('\n')}\nexec '${path}' "$@"\n`, { mode: 0o755 });
  const topology = await startSentinelTopology({
    binary: path,
    binaryOf: (index) => (index === 0 ? wrapper : path),
  });
  const stop = async () => {
    await topology.stop();
    rmSync(folder, { recursive: true });
  };
  return { ...topology, stop, setAhead: clock.set };
}

export async function testCluster(more: Partial<TopologyOptions> = {}): Promise<RedisTopology> {
  return startClusterTopology({ binary: (await provisionRedis()).path, ...more });
}

/** Runs one command on a server. */
export async function ask(port: number, ...command: [string, ...(string | number)[]]): Promise<unknown> {
  const client = new Redis(port, '127.0.0.1', {
    retryStrategy: () => null,
    enableReadyCheck: false,
    disableClientInfo: true,
  });
  client.on('error', () => {});
  try {
    const [name, ...args] = command;
    return await client.call(name, ...args);
  } finally {
    client.disconnect();
  }
}

/**
 * Cuts a master off from its replicas and from the Sentinels: it still answers whoever is connected, and all that it is
 * told from now on is lost. It has no place left for new connections, and theirs are closed.
 */
export async function cutOff(port: number): Promise<void> {
  const client = new Redis(port, '127.0.0.1');
  try {
    await client.config('SET', 'maxclients', 1);
    const list = String(await client.client('LIST')).split('\n');
    for (const line of list.filter((one) => / name=sentinel-| flags=S/.test(one)))
      await client.client('KILL', 'ID', /^id=(\d+)/.exec(line)?.[1] ?? '');
  } finally {
    client.disconnect();
  }
}

export async function onlineReplicas(port: number): Promise<number> {
  return String(await ask(port, 'INFO', 'replication')).split('state=online').length - 1;
}

/** The port of a master's one replica. */
export async function replicaOf(port: number): Promise<number> {
  return Number(/slave0:.*?port=(\d+)/.exec(String(await ask(port, 'INFO', 'replication')))?.[1]);
}

export function serverAt(topology: RedisTopology, port: number): RedisProcess {
  const server = topology.servers.find((one) => one.port === port);
  if (server === undefined) throw new Error(`no server listens on port ${port}`);
  return server;
}

interface Master {
  readonly id: string;
  readonly port: number;
  readonly ranges: readonly (readonly number[])[];
}

/** The port of the master that serves each of the keys, in their order. */
export async function mastersOf(cluster: RedisTopology, keys: readonly string[]): Promise<number[]> {
  const all = await mastersIn(cluster);
  return (await slotsOf(cluster, keys)).map((slot) => serving(all, slot).port);
}

/**
 * Moves the slots of the keys, each to the next master, as an operator would by hand. `halfway` is waited for while some
 * keys of a slot are here and some there.
 */
export async function moveSlots(
  cluster: RedisTopology,
  keys: readonly string[],
  halfway: (key: string) => Promise<void> = async () => {},
): Promise<void> {
  const all = await mastersIn(cluster);
  for (const [i, slot] of (await slotsOf(cluster, keys)).entries()) {
    const source = serving(all, slot);
    const target = all[(all.indexOf(source) + 1) % all.length] ?? source;
    await ask(target.port, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', source.id);
    await ask(source.port, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', target.id);
    for (let batch = 1; ; batch = 25) {
      const some = (await ask(source.port, 'CLUSTER', 'GETKEYSINSLOT', slot, batch)) as string[];
      if (some.length === 0) break;
      await ask(source.port, 'MIGRATE', '127.0.0.1', target.port, '', 0, 1000, 'REPLACE', 'KEYS', ...some);
      if (batch === 1) await halfway(keys[i] ?? '');
    }
    for (const { port } of [target, source, ...all])
      await ask(port, 'CLUSTER', 'SETSLOT', slot, 'NODE', target.id);
  }
}

/** The ports where nodes have their inboxes, one for each inbox. */
export async function inboxPorts({ servers }: RedisTopology): Promise<number[]> {
  const lists = await Promise.all(
    servers.map(async ({ port }) => {
      const list = String(await ask(port, 'CLIENT', 'LIST').catch(() => ''));
      return list
        .split('\n')
        .filter((one) => /name=soleseat-inbox .* sub=1 /.test(one))
        .map(() => port);
    }),
  );
  return lists.flat();
}

function serving(all: readonly Master[], slot: number): Master {
  const found = all.find(({ ranges }) => ranges.some(([from = -1, to = from]) => from <= slot && slot <= to));
  if (found === undefined) throw new Error(`nobody serves slot ${slot}`);
  return found;
}

function slotsOf(cluster: RedisTopology, keys: readonly string[]): Promise<number[]> {
  return Promise.all(keys.map(async (key) => Number(await askAny(cluster, 'CLUSTER', 'KEYSLOT', key))));
}

async function mastersIn(cluster: RedisTopology): Promise<Master[]> {
  const lines = String(await askAny(cluster, 'CLUSTER', 'NODES'))
    .trim()
    .split('\n');
  return lines
    .map((line) => line.split(' '))
    .filter(([, , flags]) => flags?.includes('master') && !flags.includes('fail'))
    .map(([id = '', address = '', , , , , , , ...ranges]) => ({
      id,
      port: Number(/:(\d+)@/.exec(address)?.[1]),
      ranges: ranges.map((one) => one.split('-').map(Number)),
    }));
}

/** Asks the first server that still answers. */
async function askAny({ servers }: RedisTopology, ...command: [string, ...string[]]): Promise<unknown> {
  for (const { port } of servers) {
    const answer = await ask(port, ...command).catch(() => undefined);
    if (answer !== undefined) return answer;
  }
  throw new Error('no server answers');
}
