import { provisionRedis } from '../../src/embedded/find-redis.js';
import { type RedisProcess, startRedis } from '../../src/embedded/redis-process.js';

/** A real Redis of the test's own, empty and without persistence. The caller stops it. */
export async function testRedis(): Promise<RedisProcess> {
  const { path } = await provisionRedis({ onProgress: () => {} });
  return startRedis({ binary: path });
}
