import { spec } from './spec.js';

/** Redis: where it is, and how it is asked. */
export const redisSettings = {
  redisUrl: spec(
    'REDIS_URL',
    'url',
    '',
    'Where Redis is: `redis://[user:password@]host:port[/db]`, `redis+sentinel://[user:password@]host:port,…/master[/db]` or `redis+cluster://[user:password@]host:port,…`; with `rediss` for TLS. `serve` refuses to start without it.',
  ),
  redisTlsCaFile: spec(
    'SOLESEAT_REDIS_TLS_CA',
    'file',
    '',
    'A PEM file with those who may sign the certificates of Redis and its Sentinels, in place of those that the system knows.',
  ),
  redisTlsCertFile: spec(
    'SOLESEAT_REDIS_TLS_CERT',
    'file',
    '',
    'A PEM file with the certificate that is shown to Redis, where it asks for one.',
  ),
  redisTlsKeyFile: spec(
    'SOLESEAT_REDIS_TLS_KEY',
    'file',
    '',
    "A PEM file with that certificate's private key.",
  ),
  redisTlsServername: spec(
    'SOLESEAT_REDIS_TLS_SERVERNAME',
    'text',
    '',
    'The name in the certificates of Redis, where it is another than the host that is dialled.',
  ),
  redisAddressMap: spec(
    'SOLESEAT_REDIS_ADDRESS_MAP',
    'list',
    '',
    'Where servers are reached from here that Sentinels or a cluster name otherwise, as behind NAT: `10.0.0.1:6379=redis.example:7001,…`.',
  ),
  commandTimeoutMs: spec(
    'SOLESEAT_COMMAND_TIMEOUT_MS',
    'durationMs',
    '2000',
    'Longest wait for a Redis reply. The TTL must be above three times this.',
  ),
  keyPrefix: spec('SOLESEAT_KEY_PREFIX', 'text', 'soleseat:', 'Prefix of all keys and channels in Redis.'),
  plaintextRedis: spec(
    'SOLESEAT_ALLOW_PLAINTEXT_REDIS',
    'flag',
    'false',
    'Allow a `REDIS_URL` without TLS to an address that is not loopback.',
  ),
  redisServer: spec(
    'SOLESEAT_REDIS_SERVER',
    'text',
    '',
    'Path of the redis-server that `dev` and the tests start; empty: the PATH, else provisioned.',
  ),
} as const;
