import { Cluster } from 'ioredis';
import { parseRedisUrl } from '../base/redis-url.js';
import type { RedisConnection } from './redis.js';
import { SentinelRedis } from './sentinel-redis.js';

/** Another user or password, from the next connection on: those that are made stay. */
export function useCredentials(connection: RedisConnection, redisUrl: string): void {
  const target = parseRedisUrl(redisUrl);
  const own = { username: undefined, password: undefined, ...target.credentials };
  if (connection instanceof Cluster) {
    Object.assign(connection.options.redisOptions ?? {}, own);
    for (const server of connection.nodes('all')) Object.assign(server.options, own);
    return;
  }
  Object.assign(connection.options, own);
  if (target.kind !== 'sentinel') return;
  const { username, password } = target.sentinelCredentials;
  Object.assign(connection.options, { sentinelUsername: username, sentinelPassword: password });
  if (connection instanceof SentinelRedis) connection.useSentinelCredentials({ username, password });
}
