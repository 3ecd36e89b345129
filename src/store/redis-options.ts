import { type RedisAddress, type RedisTarget, readMapping } from '../base/redis-url.js';
import { directConnector, type RedisTls, sentinelConnector } from './connectors.js';
import type { ConnectionOptions } from './sentinel-redis.js';

export interface RedisConfig {
  readonly redisUrl: string;
  readonly commandTimeoutMs: number;
  /** `host:port` as servers name themselves → as they are reached from here; by default they are reached so. */
  readonly redisAddressMap?: readonly string[];
  /** For TLS. It may change: the next connection takes what it is then. */
  readonly redisTls?: { readonly current: RedisTls };
}

/** How often a Redis that still reads its data is asked whether it has done so. */
const LOADING_CHECK_MS = 1000;
export type Role = 'commands' | 'inbox';

export function tlsOf({ redisTls }: RedisConfig, { isEncrypted }: RedisTarget) {
  return () => (isEncrypted ? (redisTls?.current ?? {}) : null);
}

export function connectorFor(config: RedisConfig, target: RedisTarget) {
  const tls = tlsOf(config, target);
  return target.kind === 'sentinel' ? sentinelConnector(tls) : directConnector(tls);
}

export function natMapOf({ redisAddressMap = [] }: RedisConfig): Record<string, RedisAddress> {
  return Object.fromEntries(
    redisAddressMap.map((pair) => {
      const { from, to } = readMapping(pair);
      return [from, to];
    }),
  );
}

export function optionsFor(config: RedisConfig, target: RedisTarget, role: Role): ConnectionOptions {
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
    natMap: natMapOf(config),
    ...(target.isEncrypted && { enableTLSForSentinelMode: true, tls: {} }),
    sentinelCommandTimeout: config.commandTimeoutMs,
    sentinelRetryStrategy: retryDelayMs,
  };
}

export function sentinelWatch(
  config: RedisConfig,
  target: RedisTarget & { readonly kind: 'sentinel' },
  role: Role,
) {
  const Connector = directConnector(tlsOf(config, target));
  const options = { ...connectionOptions(config, target, role), Connector, lazyConnect: false };
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
    maxLoadingRetryTime: LOADING_CHECK_MS,
    retryStrategy: retryDelayMs,
    // A demoted master still answers. 1 leaves it; 2 would send the command once more.
    reconnectOnError: (error: Error) => (error.message.includes('READONLY') ? 1 : false) as 1 | false,
    connectionName: `soleseat-${role}`,
    family: target.family,
  };
}

/** How long the next attempt to connect waits. */
export function retryDelayMs(attempt: number): number {
  return Math.random() * Math.min(2000, 50 * 2 ** Math.min(attempt, 6));
}
