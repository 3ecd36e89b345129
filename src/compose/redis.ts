import type { Redis } from 'ioredis';
import { firstEndOf } from '../base/certificates.js';
import type { RedisTls } from '../store/connectors.js';
import {
  openCommands,
  openInbox,
  type RedisConfig,
  type RedisConnection,
  type RedisParts,
} from '../store/redis.js';
import { useCredentials } from '../store/redis-credentials.js';

/** A node's two ways to Redis, neither made yet. */
export interface RedisWays {
  readonly commands: RedisConnection;
  readonly subscriber: Redis;
  /** What the next connections are made with. Those that are made stay. */
  renew(read: { readonly redisTls: RedisTls | null; readonly redisUrl: string }): void;
}

export function openRedis(config: RedisConfig, tls: RedisTls | null, parts: RedisParts): RedisWays {
  const { redisUrl, commandTimeoutMs, redisAddressMap = [] } = config;
  const redisTls = { current: tls ?? {} };
  const shown = { redisUrl, commandTimeoutMs, redisAddressMap, redisTls };
  const commands = openCommands(shown, parts);
  const subscriber = openInbox(shown, commands, parts);
  const showEnds = ({ ca, cert }: RedisTls) => {
    const { certificateEnd } = parts.metrics;
    if (ca !== undefined) certificateEnd.set({ certificate: 'redis_ca' }, firstEndOf(ca));
    if (cert !== undefined) certificateEnd.set({ certificate: 'redis_client' }, firstEndOf(cert));
  };
  showEnds(redisTls.current);
  return {
    commands,
    subscriber,
    renew(read) {
      if (read.redisTls !== null) {
        redisTls.current = read.redisTls;
        showEnds(read.redisTls);
      }
      for (const way of [commands, subscriber]) useCredentials(way, read.redisUrl);
    },
  };
}
