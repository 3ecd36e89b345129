import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/cli/doctor-finding.js';
import { useRedis } from '../support/redis.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const redis = useRedis();

async function doctor(more: Record<string, string> = {}) {
  const env = {
    PATH: process.env.PATH,
    REDIS_URL: redis.url,
    SOLESEAT_JWT_SECRET: 'a secret of no fewer than 32 bytes',
    SOLESEAT_HOST: '127.0.0.1',
    SOLESEAT_PORT: '0',
    SOLESEAT_ADMIN_PORT: '0',
    ...more,
  };
  const child = spawn(process.execPath, [main, 'doctor', '--json'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const findings = JSON.parse(out) as Finding[];
  const about = (text: string) => findings.find(({ what }) => what.includes(text));
  return { code, about, out };
}

describe('doctor', () => {
  it('is content with what is good, and advises on what could be lost', async () => {
    const { code, about } = await doctor();
    expect(code).toBe(0);
    expect(about('noeviction')?.level).toBe('good');
    expect(about('may run scripts')?.level).toBe('good');
    expect(about('round trip')).toBeDefined();
    expect(about('append-only file off')).toMatchObject({
      level: 'warning',
      advice: expect.stringContaining('appendonly'),
    });
    expect(about('open files')).toBeDefined();
    expect(about('HS256')?.level).toBe('good');
  });

  it('sees a policy that throws leases away', async () => {
    await redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    expect((await doctor()).about('allkeys-lru')).toMatchObject({ level: 'warning' });
    await redis.client.config('SET', 'maxmemory-policy', 'noeviction');
  });

  it('sees a user who lacks a right, and ends with 1', async () => {
    await redis.client.call('ACL', 'SETUSER', 'weak', 'on', '>pass', '~soleseat:*', '+@all', 'resetchannels');
    const { code, about } = await doctor({ REDIS_URL: redis.url.replace('redis://', 'redis://weak:pass@') });
    expect(code).toBe(1);
    expect(about('lacks a right')?.level).toBe('bad');
  });

  it('sees a port that is taken', async () => {
    const taken: Server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const port = String((taken.address() as { port: number }).port);
    const found = (await doctor({ SOLESEAT_PORT: port })).about('EADDRINUSE');
    taken.close();
    expect(found?.level).toBe('warning');
  });

  it('ends with 69 where no Redis answers, and with 78 on bad settings, the value not shown', async () => {
    expect((await doctor({ REDIS_URL: 'redis://127.0.0.1:9' })).code).toBe(69);
    const bad = await doctor({ SOLESEAT_JWT_SECRET: 'hunter2hunter2' });
    expect([bad.code, bad.out.includes('hunter2')]).toEqual([78, false]);
  });
});
