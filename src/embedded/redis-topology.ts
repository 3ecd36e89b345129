import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { pickFreeClusterPort } from './redis-probe.js';
import { type RedisProcess, startRedis } from './redis-process.js';

/** Several servers on the loopback address, as they stand together in production, but quick to fail over. */
export interface RedisTopology {
  /** The `REDIS_URL` of the whole. */
  readonly url: string;
  readonly servers: readonly RedisProcess[];
  stop(): Promise<void>;
}

export interface SentinelTopology extends RedisTopology {
  readonly sentinels: readonly RedisProcess[];
}

export interface TopologyOptions {
  readonly binary: string;
  /** Another program for one of the servers, by its place in `servers`. */
  readonly binaryOf?: (index: number) => string;
  /** The name by which the servers announce themselves, in place of 127.0.0.1. It must resolve to this machine. */
  readonly hostname?: string;
  /** Files for TLS, in a cluster: the servers and their clients speak it on ports of their own. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string };
}

/** A name may lead to either of them. */
const bothLoopbacks = ['--bind', '127.0.0.1', '-::1'];

export const MASTER_NAME = 'main';

const REPLICAS = 2;
const SENTINELS = 3;
const CLUSTER_MASTERS = 3;
const SLOTS = 16_384;
const SETTLED_WITHIN_MS = 30_000;
const POLL_MS = 50;
/** Ordinarily a master gathers replicas for some seconds before it sends its data. */
const quickSync = ['--repl-diskless-sync-delay', '0'];

/** Starts a master with two replicas, the first of the servers, and three Sentinels that watch it. */
export async function startSentinelTopology(options: TopologyOptions): Promise<SentinelTopology> {
  const started: RedisProcess[] = [];
  const stop = () => stopAll(started);
  const start = async (more: Partial<Parameters<typeof startRedis>[0]>) => {
    const server = await startRedis({ binary: options.binary, ...more });
    started.push(server);
    return server;
  };
  try {
    const { hostname } = options;
    const named = hostname === undefined ? [] : [...bothLoopbacks, '--replica-announce-ip', hostname];
    const extraArgs = [...quickSync, ...named];
    const binaryOf = options.binaryOf ?? (() => options.binary);
    const master = await start({ extraArgs, binary: binaryOf(0) });
    const host = hostname ?? '127.0.0.1';
    const replicaArgs = [...extraArgs, '--replicaof', host, String(master.port)];
    const replicas = await startMany(REPLICAS, (index) =>
      start({ extraArgs: replicaArgs, binary: binaryOf(index + 1) }),
    );
    // Sentinels learn of replicas when they first ask the master, and then not for ten seconds.
    await settled([master], (info) => info.split('state=online').length > REPLICAS, ['info', 'replication']);
    const sentinel = [
      ...(hostname === undefined
        ? []
        : ['sentinel resolve-hostnames yes', 'sentinel announce-hostnames yes']),
      `sentinel monitor ${MASTER_NAME} ${host} ${master.port} 2`,
      `sentinel down-after-milliseconds ${MASTER_NAME} 1000`,
      `sentinel failover-timeout ${MASTER_NAME} 3000`,
      `sentinel parallel-syncs ${MASTER_NAME} ${REPLICAS}`,
    ];
    const sentinels = await startMany(SENTINELS, () => start({ sentinel }));
    const complete = `slaves=${REPLICAS},sentinels=${SENTINELS}`;
    await settled(sentinels, (info) => info.includes(complete), ['info', 'sentinel']);
    const url = `redis+sentinel://${addresses(sentinels)}/${MASTER_NAME}`;
    return { url, servers: [master, ...replicas], sentinels, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts a cluster of three masters, the first of the servers, each with a replica. */
export async function startClusterTopology(options: TopologyOptions): Promise<RedisTopology> {
  const started: RedisProcess[] = [];
  /** Where clients and the other servers find each of them. */
  const ports: number[] = [];
  const stop = () => stopAll(started);
  try {
    for (let i = 0; i < CLUSTER_MASTERS * 2; i++) {
      const port = await pickFreeClusterPort();
      const tlsPort = options.tls === undefined ? null : await pickFreeClusterPort();
      const extraArgs = [...quickSync, ...clusterArgs(options, tlsPort)];
      started.push(await startRedis({ binary: options.binary, port, extraArgs }));
      ports.push(tlsPort ?? port);
    }
    await formCluster(started, ports);
    const scheme = options.tls === undefined ? 'redis' : 'rediss';
    const url = `${scheme}+cluster://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`;
    return { url, servers: started, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function clusterArgs({ hostname, tls }: TopologyOptions, tlsPort: number | null): string[] {
  const args = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'];
  args.push('--cluster-node-timeout', '1500', '--cluster-replica-validity-factor', '0');
  // Where one master is gone, the orgs of the others go on.
  args.push('--cluster-require-full-coverage', 'no');
  if (hostname !== undefined) {
    args.push(...bothLoopbacks, '--cluster-announce-hostname', hostname);
    args.push('--cluster-preferred-endpoint-type', 'hostname');
  }
  if (tls !== undefined) {
    args.push('--tls-port', String(tlsPort), '--tls-cluster', 'yes', '--tls-replication', 'yes');
    args.push('--tls-cert-file', tls.cert, '--tls-key-file', tls.key, '--tls-ca-cert-file', tls.ca);
  }
  return args;
}

async function formCluster(servers: readonly RedisProcess[], ports: readonly number[]): Promise<void> {
  const clients = servers.map(({ port }) => new Redis(port, '127.0.0.1'));
  const masters = clients.slice(0, CLUSTER_MASTERS);
  const bounds = masters.map((_, i) => Math.floor((SLOTS * i) / CLUSTER_MASTERS)).concat(SLOTS);
  try {
    for (const [i, client] of clients.entries()) await client.cluster('SET-CONFIG-EPOCH', i + 1);
    for (const [i, master] of masters.entries()) {
      const [from = 0, to = 0] = [bounds[i], bounds[i + 1]];
      await master.cluster('ADDSLOTS', ...Array.from({ length: to - from }, (_, slot) => from + slot));
    }
    for (const port of ports.slice(1)) await clients[0]?.cluster('MEET', '127.0.0.1', port);
    await settled(servers, (info) => info.includes(`cluster_known_nodes:${servers.length}`), [
      'cluster',
      'info',
    ]);
    for (const [i, replica] of clients.slice(CLUSTER_MASTERS).entries()) {
      await replica.cluster('REPLICATE', String(await masters[i]?.cluster('MYID')));
    }
    await settled(servers, (info) => info.includes('cluster_state:ok'), ['cluster', 'info']);
    await settled(servers, (info) => /state=online|master_link_status:up/.test(info), [
      'info',
      'replication',
    ]);
  } finally {
    for (const client of clients) client.disconnect();
  }
}

/** Waits until all of them give the answer that is hoped for. */
async function settled(
  servers: readonly RedisProcess[],
  isSettled: (answer: string) => boolean,
  [command, ...args]: readonly [string, ...string[]],
): Promise<void> {
  const deadline = performance.now() + SETTLED_WITHIN_MS;
  for (const { port } of servers) {
    const client = new Redis(port, '127.0.0.1');
    try {
      while (!isSettled(String(await client.call(command, ...args)))) {
        if (performance.now() > deadline)
          throw new Error(`The Redis servers did not come together within ${SETTLED_WITHIN_MS / 1000} s`);
        await pause(POLL_MS);
      }
    } finally {
      client.disconnect();
    }
  }
}

function startMany(count: number, start: (index: number) => Promise<RedisProcess>): Promise<RedisProcess[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => start(index)));
}

async function stopAll(servers: readonly RedisProcess[]): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()));
}

function addresses(servers: readonly RedisProcess[]): string {
  return servers.map(({ port }) => `127.0.0.1:${port}`).join(',');
}
