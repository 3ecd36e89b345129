import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { provisionRedis } from '../../src/embedded/find-redis.js';
import { type RedisProcess, startRedis } from '../../src/embedded/redis-process.js';
import { eventually } from '../support/eventually.js';
import { testTexts } from '../support/node.js';
import { pretendRedis } from '../support/old-redis.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'soleseat-serve-'));
let redis: RedisProcess;
let store: Redis;

beforeAll(async () => {
  const { path } = await provisionRedis();
  redis = await startRedis({ binary: path, dir: folder, appendOnly: true });
  store = new Redis(redis.url);
});
afterAll(async () => {
  store.disconnect();
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs `serve` until it has started or ended, then drains it. Gives its exit code and what it wrote. */
async function serve(redisUrl: string): Promise<{ readonly status: number | null; readonly output: string }> {
  const texts = testTexts(redisUrl, { SOLESEAT_LOG_LEVEL: 'info' });
  const child = spawn(process.execPath, [main, 'serve', '--no-wait'], { env: { ...process.env, ...texts } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const closed = once(child, 'close');
  await eventually(() => child.exitCode !== null || output.includes('broker started'));
  child.kill('SIGTERM');
  await closed;
  return { status: child.exitCode, output };
}

describe('serve', () => {
  it('says nothing of a Redis that keeps what it is given', async () => {
    const { status, output } = await serve(redis.url);
    expect(status).toBe(0);
    expect(output).not.toContain('"level":40');
  });

  it('warns of a Redis that throws keys away for memory, and starts', async () => {
    await store.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const { status, output } = await serve(redis.url);
    await store.config('SET', 'maxmemory-policy', 'noeviction');
    expect(status).toBe(0);
    expect(output).toContain('maxmemory-policy is not noeviction');
    expect(output).not.toContain('append-only');
  });

  it('warns of a Redis without an append-only file, and starts', async () => {
    await store.config('SET', 'appendonly', 'no');
    const { status, output } = await serve(redis.url);
    await store.config('SET', 'appendonly', 'yes');
    expect(status).toBe(0);
    expect(output).toContain('append-only file is off');
    expect(output).not.toContain('maxmemory-policy');
  });

  it.each(['5.0.14', '6.1.240'])('refuses Redis %s, which is too old, with 69', async (version) => {
    const old = await pretendRedis(version);
    const { status, output } = await serve(old.url);
    old.stop();
    expect(status).toBe(69);
    expect(output).toContain(`Redis ${version.slice(0, 3)} is too old: Soleseat needs 6.2 or newer`);
    expect(output).not.toContain('Is Redis running');
  });
});
