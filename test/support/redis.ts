import { Redis } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';
import { provisionRedis } from '../../src/embedded/find-redis.js';
import { type RedisProcess, startRedis } from '../../src/embedded/redis-process.js';

/** A real Redis of the test's own, empty and without persistence. The caller stops it. */
export async function testRedis(extraArgs: readonly string[] = []): Promise<RedisProcess> {
  const { path } = await provisionRedis({ onProgress: () => {} });
  // Replicas are sent everything at once: a master would wait five seconds for more of them.
  return startRedis({ binary: path, extraArgs: ['--repl-diskless-sync-delay', '0', ...extraArgs] });
}

/** A Redis for all the tests of a file, with a connection to look into it. Both end with the file. */
export function useRedis(): { readonly url: string; readonly process: RedisProcess; readonly client: Redis } {
  let process: RedisProcess;
  let client: Redis;
  beforeAll(async () => {
    process = await testRedis();
    client = new Redis(process.url);
  });
  afterAll(async () => {
    client.disconnect();
    await process.stop();
  });
  return {
    get url() {
      return process.url;
    },
    get process() {
      return process;
    },
    get client() {
      return client;
    },
  };
}
