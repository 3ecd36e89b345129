import { Cluster } from 'ioredis';
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
      const info = await redis.info();
      const problem = problemOf(info, isCluster);
      if (problem !== null) throw new UnsuitableRedis(`${problem} (${address})`);
      return warningsOf(info).map((warning) => `${warning} (${address})`);
    }),
  );
  return { warnings: found.flat() };
}

function problemOf(info: string, isCluster: boolean): string | null {
  const version = /redis_version:(\d+)\.(\d+)/.exec(info);
  const [major, minor] = [Number(version?.[1] ?? 0), Number(version?.[2] ?? 0)];
  if (major < 6 || (major === 6 && minor < 2))
    return `Redis ${major}.${minor} is too old: Soleseat needs 6.2 or newer`;
  const mode = /redis_mode:(\w+)/.exec(info)?.[1];
  if (mode === 'sentinel')
    return "this is a Sentinel: begin REDIS_URL with redis+sentinel:// and end it with the master's name";
  if (mode === 'cluster' && !isCluster)
    return 'this is a node of a cluster: begin REDIS_URL with redis+cluster://';
  if (!isCluster && /role:slave/.test(info)) return 'this is a replica, which takes no writes';
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
