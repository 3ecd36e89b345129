import { Cluster, type Redis } from 'ioredis';
import { isWithheld } from './no-info.js';
import { type RedisConnection, redisNodes } from './redis.js';

/** Redis answers, and is none that seats can be kept in. The message says why. */
export class UnsuitableRedis extends Error {}

/** Rejects with UnsuitableRedis where nodes cannot work, and names settings of the masters that would lose leases. */
export async function inspectRedis(
  connection: RedisConnection,
): Promise<{ readonly warnings: readonly string[] }> {
  const masters = redisNodes(connection).filter(({ role }) => role === 'master');
  const isCluster = connection instanceof Cluster;
  const found = await Promise.all(
    masters.map(async ({ redis, address }) => {
      const info = await redis.info().catch((error: unknown) => {
        if (isWithheld(error)) return null;
        throw error;
      });
      const problem = info === null ? null : problemOf(info, isCluster);
      if (problem !== null) throw new UnsuitableRedis(`${problem} (${address})`);
      if (!isCluster && info !== null && /role:slave/.test(info)) throw isReplica(address);
      await checkScripts(redis, address);
      if (info === null) return [`${withoutInfo} (${address})`];
      return warningsOf(info).map((warning) => `${warning} (${address})`);
    }),
  );
  return { warnings: found.flat() };
}

const withoutInfo =
  'this service keeps INFO to itself: its version and its settings were not checked, and epochs begin a reign only where the key of the epochs is missing';

/** No script has this digest, so that a Redis which runs scripts says NOSCRIPT. */
const noScript = '0'.repeat(40);

/** Every operation is a script: a service without them is of no use. */
async function checkScripts(redis: Redis, address: string): Promise<void> {
  try {
    await redis.evalsha(noScript, 0);
  } catch (error) {
    if (error instanceof Error && /^ERR unknown command/i.test(error.message))
      throw new UnsuitableRedis(`this service has no EVALSHA: seats are granted by scripts (${address})`);
    if (error instanceof Error && error.message.startsWith('NOSCRIPT')) return;
    throw error;
  }
}

/** Not unsuitable: after a failover it may be the master. In the words of Redis itself, so that the cause is found. */
function isReplica(address: string): Error {
  const error = new Error(`READONLY this is a replica, which takes no writes (${address})`);
  error.name = 'ReplyError';
  return error;
}

function problemOf(info: string, isCluster: boolean): string | null {
  const version = /redis_version:(\d+)\.(\d+)/.exec(info);
  const [major, minor] = [Number(version?.[1] ?? 0), Number(version?.[2] ?? 0)];
  if (major < 6 || (major === 6 && minor < 2))
    return `Redis ${major}.${minor} is too old: Soleseat needs 6.2 or newer`;
  // Valkey has another word for it.
  const mode = /(?:redis|server)_mode:(\w+)/.exec(info)?.[1];
  if (mode === 'sentinel')
    return "this is a Sentinel: begin REDIS_URL with redis+sentinel:// and end it with the master's name";
  if (mode === 'cluster' && !isCluster)
    return 'this is a node of a cluster: begin REDIS_URL with redis+cluster://';
  return null;
}

function warningsOf(info: string): readonly string[] {
  const warnings: string[] = [];
  if (!/maxmemory_policy:noeviction/.test(info))
    warnings.push('maxmemory-policy is not noeviction: Redis may throw leases away');
  if (!/aof_enabled:1/.test(info))
    warnings.push('the append-only file is off: a restart of Redis loses licenses');
  return warnings;
}
