import { once } from 'node:events';
import { Cluster, Redis } from 'ioredis';
import type { Log } from '../base/log.js';
import type { Metrics } from '../base/metrics.js';
import { parseRedisUrl, type RedisAddress, type RedisTarget } from '../base/redis-url.js';
import { rovingConnector } from './roving-connector.js';
import { type ConnectionOptions, SentinelRedis } from './sentinel-redis.js';

export interface RedisConfig {
  readonly redisUrl: string;
  readonly commandTimeoutMs: number;
}

export interface RedisParts {
  readonly log: Log;
  readonly metrics: Metrics;
}

type Role = 'commands' | 'inbox';

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
  const Connector = rovingConnector(addresses, target.isEncrypted);
  return openOne(config, target, 'inbox', parts, { Connector });
}

/** Connects for the first time. Rejects at the first failure: whoever starts a node wants to know. */
export async function connectRedis(connection: RedisConnection): Promise<void> {
  const ready = once(connection, 'ready', { signal: AbortSignal.timeout(CONNECT_WITHIN_MS) });
  await Promise.all([ready, connection.connect()]);
}

/** The servers at the other end: of a cluster all, else the one in use. Replicas are connected when first used. */
export function redisNodes(connection: RedisConnection): readonly RedisNode[] {
  if (connection instanceof Redis)
    return [{ redis: connection, role: 'master', address: addressOf(connection) }];
  const nodes = (role: RedisNode['role'], redises: readonly Redis[]) =>
    redises.map((redis) => ({ redis, role, address: addressOf(redis) }));
  return [...nodes('master', connection.nodes('master')), ...nodes('replica', connection.nodes('slave'))];
}

/** Refuses a Redis that is too old, and names settings of its masters that would lose leases. */
export async function inspectRedis(
  connection: RedisConnection,
): Promise<{ readonly warnings: readonly string[] }> {
  const masters = redisNodes(connection).filter(({ role }) => role === 'master');
  const found = await Promise.all(
    masters.map(async ({ redis, address }) => inspectServer(address, await redis.info())),
  );
  return { warnings: found.flat() };
}

function inspectServer(address: string, info: string): readonly string[] {
  const version = /redis_version:(\d+)\.(\d+)/.exec(info);
  const [major, minor] = [Number(version?.[1] ?? 0), Number(version?.[2] ?? 0)];
  if (major < 6 || (major === 6 && minor < 2)) {
    throw new Error(`Redis ${major}.${minor} at ${address} is too old: Soleseat needs 6.2 or newer`);
  }
  const warnings: string[] = [];
  if (!/maxmemory_policy:noeviction/.test(info)) {
    warnings.push(`maxmemory-policy is not noeviction at ${address}: Redis may throw leases away`);
  }
  if (!/aof_enabled:1/.test(info))
    warnings.push(`the append-only file is off at ${address}: a restart of Redis loses licenses`);
  return warnings;
}

function openOne(
  config: RedisConfig,
  target: RedisTarget,
  role: Role,
  parts: RedisParts,
  more: ConnectionOptions = {},
): Redis {
  const options = { ...optionsFor(config, target, role), ...more };
  const onError = (error: Error) =>
    parts.log.debug({ role, reason: error.message }, 'redis connection failed');
  const redis =
    target.kind === 'sentinel'
      ? new SentinelRedis(options, { ...sentinelWatch(config, target, role), onError })
      : new Redis(options);
  redis.on('error', onError);
  redis.on('ready', () => parts.log.info({ role, address: addressOf(redis) }, 'connected to Redis'));
  redis.on('reconnecting', () => parts.metrics.redisReconnects.inc({ role }));
  return redis;
}

function openCluster(config: RedisConfig, target: RedisTarget, { log, metrics }: RedisParts): Cluster {
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
    redisOptions: optionsFor(config, target, role),
  });
  const logFailure = (error: Error, address?: string) =>
    log.debug({ role, address, reason: error.message }, 'redis connection failed');
  cluster.on('error', logFailure);
  cluster.on('node error', logFailure);
  cluster.on('reconnecting', () => metrics.redisReconnects.inc({ role }));
  cluster.on('+node', () => {
    if (cluster.status === 'ready') metrics.redisReconnects.inc({ role });
  });
  return cluster;
}

function optionsFor(config: RedisConfig, target: RedisTarget, role: Role): ConnectionOptions {
  const options = { ...connectionOptions(config, target, role), ...target.credentials, db: target.db };
  const [first] = target.addresses;
  if (target.kind !== 'sentinel') return target.kind === 'single' ? { ...options, ...first } : options;
  const { username, password } = target.sentinelCredentials;
  return {
    ...options,
    sentinels: [...target.addresses],
    name: target.masterName,
    ...(username !== undefined && { sentinelUsername: username }),
    ...(password !== undefined && { sentinelPassword: password }),
    ...(target.isEncrypted && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
    sentinelCommandTimeout: config.commandTimeoutMs,
    sentinelRetryStrategy: retryDelayMs,
    // A demoted master answers too. 1 leaves it; 2 would send the command once more.
    reconnectOnError: (error) => (error.message.includes('READONLY') ? 1 : false),
  };
}

function sentinelWatch(config: RedisConfig, target: RedisTarget & { readonly kind: 'sentinel' }, role: Role) {
  const options = { ...connectionOptions(config, target, role), lazyConnect: false };
  const { masterName, addresses: sentinels, sentinelCredentials } = target;
  return { masterName, sentinels, options: { ...options, ...sentinelCredentials } };
}

/** Fail fast: a command that waited or was sent twice could grant a seat long after its claimant has gone. */
function connectionOptions({ commandTimeoutMs }: RedisConfig, target: RedisTarget, role: Role) {
  return {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    connectTimeout: commandTimeoutMs,
    // A socket that is silently dead is left for a new one.
    socketTimeout: 2 * commandTimeoutMs,
    retryStrategy: retryDelayMs,
    connectionName: `soleseat-${role}`,
    ...(target.isEncrypted && { tls: {} }),
  };
}

function retryDelayMs(attempt: number): number {
  return Math.random() * Math.min(2000, 50 * 2 ** Math.min(attempt, 6));
}

function addressOf({ options, stream }: Redis): string {
  // Sentinels name a master that the options do not know.
  const { remoteAddress: host = options.host, remotePort: port = options.port } = stream ?? {};
  return host?.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
