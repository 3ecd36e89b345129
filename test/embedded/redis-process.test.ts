import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { provisionRedis } from '../../src/embedded/find-redis.js';
import { askRedis } from '../../src/embedded/redis-probe.js';
import { type RedisOptions, type RedisProcess, startRedis } from '../../src/embedded/redis-process.js';

let binary: string;
const started: RedisProcess[] = [];

beforeAll(async () => {
  binary = (await provisionRedis()).path;
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((redis) => redis.stop()));
});

async function start(options: Omit<RedisOptions, 'binary'> = {}): Promise<RedisProcess> {
  const redis = await startRedis({ binary, ...options });
  started.push(redis);
  return redis;
}

async function ask<T>(redis: RedisProcess, question: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(redis.url, { retryStrategy: () => null });
  try {
    return await question(client);
  } finally {
    client.disconnect();
  }
}

function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'soleseat-test-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('a Redis of our own', () => {
  it('answers as soon as it is started, keeps nothing on disk and never drops a key for memory', async () => {
    const redis = await start();
    await ask(redis, async (client) => {
      expect(await client.ping()).toBe('PONG');
      const settings = await client.config('GET', 'maxmemory-policy', 'save', 'appendonly', 'bind');
      const answer =
        settings instanceof Map ? [...settings].flat() : Object.values(settings as object).flat();
      expect(answer).toEqual(expect.arrayContaining(['noeviction', 'no', '', '127.0.0.1']));
    });
  });

  it('is gone once it is stopped', async () => {
    const redis = await start();
    await redis.stop();
    expect(isAlive(redis.pid)).toBe(false);
  });

  it('is gone once it is stopped even while it is paused', async () => {
    const redis = await start();
    redis.kill('SIGSTOP');
    await redis.stop();
    expect(isAlive(redis.pid)).toBe(false);
  });

  it('comes back on the same port with its data after a kill', async () => {
    const redis = await start({ dir: temporaryFolder(), appendOnly: true });
    await ask(redis, (client) => client.set('seat', 'ada'));
    const { pid, port } = redis;
    redis.kill('SIGKILL');
    await redis.restart();
    expect(redis.port).toBe(port);
    expect(redis.pid).not.toBe(pid);
    expect(await ask(redis, (client) => client.get('seat'))).toBe('ada');
  });

  it('comes back empty when it has no folder', async () => {
    const redis = await start();
    await ask(redis, (client) => client.set('seat', 'ada'));
    await redis.restart();
    expect(await ask(redis, (client) => client.get('seat'))).toBeNull();
  });

  it('is refused a folder that another one uses', { timeout: 30_000 }, async () => {
    const dir = temporaryFolder();
    await start({ dir, appendOnly: true });
    await expect(start({ dir, appendOnly: true })).rejects.toThrow(/already uses .*Stop the Soleseat/);
  });

  it('tells why it does not start', async () => {
    await expect(start({ extraArgs: ['--no-such-setting', 'x'] })).rejects.toThrow(/no-such-setting/);
    await expect(startRedis({ binary: '/nowhere/redis-server' })).rejects.toThrow(/ENOENT/);
  });

  it('tells that a given port is taken', async () => {
    const other = createServer((socket) => socket.on('error', () => {}).end()).listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { port } = other.address() as { port: number };
    await expect(start({ port })).rejects.toThrow(/already in use/);
  });

  it.each(['process.exit()', 'process.kill(process.pid, "SIGKILL")', '/* nothing left to do */'])(
    'ends with its parent: %s',
    async (ending) => {
      const script = `
        const { startRedis } = await import('./dist/embedded/redis-process.js');
        const redis = await startRedis({ binary: ${JSON.stringify(binary)} });
        process.stdout.write(redis.port + '\\n', () => { ${ending} });`;
      const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
        cwd: join(import.meta.dirname, '..', '..'),
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = once(parent, 'exit');
      const [line] = await once(createInterface(parent.stdout), 'line');
      await ended;
      await vi.waitFor(async () => expect(await askRedis(Number(line))).toEqual({ isUp: false }), {
        timeout: 5_000,
        interval: 20,
      });
    },
  );
});
