import { once } from 'node:events';
import { Cluster, Redis } from 'ioredis';
import { hostPort } from '../base/listening.js';
import type { Log } from '../base/log.js';
import type { Metrics } from '../base/metrics.js';
import { parseRedisUrl, type RedisAddress, type RedisTarget } from '../base/redis-url.js';
import { causeOf, detailOf } from './causes.js';
import { saidAtDoor, watchDoor } from './closed-door.js';
import { rovingConnector } from './connectors.js';
import { tolerateNoInfo } from './no-info.js';
import {
  connectorFor,
  natMapOf,
  optionsFor,
  type RedisConfig,
  type Role,
  retryDelayMs,
  sentinelWatch,
  tlsOf,
} from './redis-options.js';
import { type ConnectionOptions, SentinelRedis, type SentinelWatch } from './sentinel-redis.js';

export type { RedisConfig } from './redis-options.js';

export interface RedisParts {
  readonly log: Log;
  readonly metrics: Metrics;
  /** Is told why a connection fails. Left out where nobody waits for Redis to come back. */
  readonly outages?: {
    failed(place: string, error: unknown): void;
    well(place: string): void;
  };
}

/** One server, the master that Sentinels name, or a cluster: all run the same commands. */
export type RedisConnection = Redis | Cluster;

export interface RedisNode {
  readonly redis: Redis;
  readonly role: 'master' | 'replica';
  /** host:port */
  readonly address: string;
}

/** Longest wait for the first connection: ioredis asks Sentinels and clusters without end. */
const CONNECT_WITHIN_MS = 10_000;
/** A cluster's redirections and second attempts of one command. */
const CLUSTER_ATTEMPTS = 16;

/** The connection for commands, not yet made: `connectRedis` makes it. */
export function openCommands(config: RedisConfig, parts: RedisParts): RedisConnection {
  const target = parseRedisUrl(config.redisUrl);
  return target.kind === 'cluster'
    ? openCluster(config, target, parts)
    : openOne(config, target, 'commands', parts);
}

/** The connection of the node's inbox. In a cluster PUBLISH reaches every node, so that any one will do. */
export function openInbox(config: RedisConfig, commands: RedisConnection, parts: RedisParts): Redis {
  const target = parseRedisUrl(config.redisUrl);
  if (target.kind !== 'cluster') return openOne(config, target, 'inbox', parts);
  const addresses = () => {
    const ready = redisNodes(commands).filter(({ redis }) => redis.status === 'ready');
    return ready.length > 0 ? ready.map(({ redis }) => redis.options as RedisAddress) : target.addresses;
  };
  const Connector = rovingConnector(addresses, tlsOf(config, target));
  return openOne(config, target, 'inbox', parts, { Connector });
}

/**
 * Connects for the first time, or waits for what an attempt before has begun. Rejects at the first failure, in plain words:
 * whoever starts a node wants to know.
 */
export async function connectRedis(connection: RedisConnection): Promise<void> {
  if (connection.status === 'ready') return;
  const late = AbortSignal.timeout(CONNECT_WITHIN_MS);
  const isIdle = connection.status === 'wait' || connection.status === 'end';
  try {
    await Promise.all([once(connection, 'ready', { signal: late }), isIdle && connection.connect()]);
  } catch (error) {
    const isLoadingYet = late.aborted && (await isLoading(connection));
    if (isLoadingYet) throw new Error('LOADING Redis is loading the dataset in memory');
    const said =
      connection instanceof Redis && causeOf(error)?.kind === 'lost' && (await saidAtDoor(connection));
    if (said) throw said;
    if (late.aborted) throw new Error(`Redis was not ready within ${CONNECT_WITHIN_MS / 1000} s`);
    throw plainly(error as Error);
  }
}

/**
 * Whether Redis is still reading its data. ioredis then waits without a word, and takes no other command than this one.
 */
export async function isLoading(connection: RedisConnection): Promise<boolean> {
  if (!(connection instanceof Redis) || connection.status !== 'connect') return false;
  // Without an answer, that is the cause and not loading: whoever asks has it already.
  const info = await connection.info('persistence').catch(() => '');
  return /^loading:1/m.test(info);
}

/** Waits for a connection that is being made anew. Rejects when that fails, or takes longer than `withinMs`. */
export async function untilReady(connection: RedisConnection, withinMs: number): Promise<void> {
  // As many claims wait as there are.
  connection.setMaxListeners(0);
  if (connection.status !== 'ready')
    await once(connection, 'ready', { signal: AbortSignal.timeout(withinMs) });
}

/** The servers at the other end: of a cluster all, else the one in use. Replicas are connected when first used. */
export function redisNodes(connection: RedisConnection): readonly RedisNode[] {
  if (connection instanceof Redis)
    return [{ redis: connection, role: 'master', address: addressOf(connection) }];
  const nodes = (role: RedisNode['role'], redises: readonly Redis[]) =>
    redises.map((redis) => ({ redis, role, address: addressOf(redis) }));
  return [...nodes('master', connection.nodes('master')), ...nodes('replica', connection.nodes('slave'))];
}

function openOne(
  config: RedisConfig,
  target: RedisTarget,
  role: Role,
  parts: RedisParts,
  more: ConnectionOptions = {},
): Redis {
  const options = { Connector: connectorFor(config, target), ...optionsFor(config, target, role), ...more };
  const onError = (error: Error) => {
    parts.log.debug({ role, reason: detailOf(error) }, 'redis connection failed');
    parts.outages?.failed(role, error);
  };
  const redis =
    target.kind === 'sentinel'
      ? new SentinelRedis(options, { ...sentinelWatch(config, target, role), ...sentinelReports(parts) })
      : new Redis(options);
  tolerateNoInfo(redis);
  redis.on('error', onError);
  watchDoor(redis, onError);
  redis.on('close', () => parts.outages?.failed(role, new Error('Connection is closed.')));
  redis.on('ready', () => parts.log.info({ role, address: addressOf(redis) }, 'connected to Redis'));
  redis.on('reconnecting', () => parts.metrics.redisReconnects.inc({ role }));
  return redis;
}

/** One Sentinel that fails does not speak for the others, nor for the master. */
function sentinelReports({ log, outages }: RedisParts): Pick<SentinelWatch, 'onError' | 'onReady'> {
  const place = ({ host, port }: RedisAddress) => `Sentinel ${host}:${port}`;
  return {
    onError: (error, sentinel) => {
      log.debug({ place: place(sentinel), reason: detailOf(error) }, 'connection to a Sentinel failed');
      outages?.failed(place(sentinel), error);
    },
    onReady: (sentinel) => outages?.well(place(sentinel)),
  };
}

function openCluster(
  config: RedisConfig,
  target: RedisTarget,
  { log, metrics, outages }: RedisParts,
): Cluster {
  const { commandTimeoutMs } = config;
  const role = 'commands';
  // Between two attempts for a slot that is on the move or whose master has gone: as long as a command may take.
  const pauseMs = commandTimeoutMs / CLUSTER_ATTEMPTS;
  const cluster = new Cluster([...target.addresses], {
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: retryDelayMs,
    maxRedirections: CLUSTER_ATTEMPTS,
    retryDelayOnTryAgain: pauseMs,
    retryDelayOnFailover: pauseMs,
    retryDelayOnClusterDown: pauseMs,
    // A master that is silently dead tells nobody that its slots are elsewhere now.
    slotsRefreshInterval: commandTimeoutMs,
    slotsRefreshTimeout: commandTimeoutMs,
    // Certificates are for hosts as they are named, not for what they resolve to.
    dnsLookup: (host, answer) => answer(null, host),
    natMap: natMapOf(config),
    redisOptions: { Connector: connectorFor(config, target), ...optionsFor(config, target, role) },
  });
  const logFailure = (error: Error, address?: string) => {
    log.debug({ role, address, reason: detailOf(error) }, 'redis connection failed');
    // One server that fails does not speak for the others.
    outages?.failed(address === undefined ? role : `server ${address}`, error);
  };
  cluster.on('error', (error: Error) => logFailure(error));
  cluster.on('node error', logFailure);
  cluster.on('reconnecting', () => metrics.redisReconnects.inc({ role }));
  cluster.on('+node', (server: Redis) => {
    answerForAsking(server);
    tolerateNoInfo(server);
    // They may have changed since the cluster was opened.
    const { username, password } = cluster.options.redisOptions ?? {};
    Object.assign(server.options, { username, password });
    const { host, port } = server.options;
    server.on('ready', () => outages?.well(`server ${host}:${port}`));
    if (cluster.status === 'ready') metrics.redisReconnects.inc({ role });
  });
  cluster.on('-node', ({ options: { host, port } }: Redis) => outages?.well(`server ${host}:${port}`));
  return cluster;
}

/**
 * Where a slot is on its way, ioredis sends ASKING and looks at no answer. An answer that does not come in time would be
 * a rejection that nobody handles, which ends the process. The command behind it fails by itself.
 */
function answerForAsking(node: Redis): void {
  const asking = node.asking.bind(node);
  node.asking = async () => asking().catch(() => 'OK' as const);
}

/** The server as it is named: by its socket only where Sentinels name it, which the options do not know. */
function addressOf({ options, stream }: Redis): string {
  const { remoteAddress, remotePort } = options.sentinels ? (stream ?? {}) : {};
  return hostPort(remoteAddress ?? options.host ?? '', remotePort ?? options.port ?? 0);
}

/** What ioredis says of Sentinels and clusters names its own doings; the last of the causes is of use. */
function plainly(error: Error & { readonly lastNodeError?: Error }): Error {
  if (error.lastNodeError !== undefined)
    return new Error(`no node of the cluster tells its slots: ${detailOf(error.lastNodeError)}`);
  const cause = /^All sentinels are unreachable.*Last error: (.*)$/.exec(error.message)?.[1];
  return cause === undefined ? error : new Error(`no Sentinel tells where the master is: ${cause}`);
}
