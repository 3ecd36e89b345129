import { Redis } from 'ioredis';
import type { Log } from '../base/log.js';
import type { Metrics } from '../base/metrics.js';

export interface RedisConfig {
  readonly redisUrl: string;
  readonly commandTimeoutMs: number;
}

/** Fail fast: a command that waited or was sent twice could grant a seat long after its claimant has gone. */
export function openRedis(
  config: RedisConfig,
  role: 'commands' | 'inbox',
  parts: { readonly log: Log; readonly metrics: Metrics },
): Redis {
  const redis = new Redis(config.redisUrl, {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    commandTimeout: config.commandTimeoutMs,
    connectTimeout: config.commandTimeoutMs,
    retryStrategy: (attempt) => Math.random() * Math.min(2000, 50 * 2 ** Math.min(attempt, 6)),
    connectionName: `soleseat-${role}`,
  });
  redis.on('error', (error: Error) =>
    parts.log.debug({ role, reason: error.message }, 'redis connection failed'),
  );
  redis.on('reconnecting', () => parts.metrics.redisReconnects.inc({ role }));
  return redis;
}

/** Refuses a Redis that is too old, and names settings of it that would lose leases. */
export async function inspectRedis(redis: Redis): Promise<{ readonly warnings: readonly string[] }> {
  const info = await redis.info();
  const version = /redis_version:(\d+)\.(\d+)/.exec(info);
  const [major, minor] = [Number(version?.[1] ?? 0), Number(version?.[2] ?? 0)];
  if (major < 6 || (major === 6 && minor < 2)) {
    throw new Error(`Redis ${major}.${minor} is too old: Soleseat needs 6.2 or newer`);
  }
  const warnings: string[] = [];
  if (!/maxmemory_policy:noeviction/.test(info)) {
    warnings.push('maxmemory-policy is not noeviction: Redis may throw leases away');
  }
  if (!/aof_enabled:1/.test(info))
    warnings.push('the append-only file is off: a restart of Redis loses licenses');
  return { warnings };
}
