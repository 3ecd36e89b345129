import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/cli/doctor-finding.js';
import { eventually } from '../support/eventually.js';
import { pretendRedis } from '../support/old-redis.js';
import { testRedis, useRedis } from '../support/redis.js';

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
    expect(about('lacks a right')).toMatchObject({ level: 'bad', advice: expect.stringContaining('ACL') });
  });

  it('finds a right that only the scripts lack', async () => {
    await redis.client.call(
      'ACL',
      'SETUSER',
      'mute',
      'on',
      '>pass',
      '~soleseat:*',
      '&*',
      '+@all',
      '-publish',
    );
    const { code, about } = await doctor({ REDIS_URL: redis.url.replace('redis://', 'redis://mute:pass@') });
    expect(code).toBe(1);
    expect(about('lacks a right')).toMatchObject({ level: 'bad', advice: expect.stringContaining('ACL') });
  });

  it('tells a user without INFO of it beside all the rest', async () => {
    await redis.client.call('ACL', 'SETUSER', 'lim', 'on', '>pass', '~soleseat:*', '&*', '+@all', '-info');
    const { code, about } = await doctor({ REDIS_URL: redis.url.replace('redis://', 'redis://lim:pass@') });
    expect(code).toBe(1);
    expect(about("'info'")).toMatchObject({ level: 'bad', advice: expect.stringContaining('ACL') });
    for (const text of ['HS256', 'its clock', 'may run scripts'])
      expect(about(text)?.level, text).toBe('good');
    expect(about('round trip')).toBeDefined();
  });

  it('tells a replica from a right that is missing', async () => {
    const replica = await testRedis();
    const client = new Redis(replica.url);
    const { hostname, port } = new URL(redis.url);
    await client.call('REPLICAOF', hostname, port);
    await eventually(async () => (await client.info('replication')).includes('master_link_status:up'));
    const { code, about } = await doctor({ REDIS_URL: replica.url });
    client.disconnect();
    await replica.stop();
    expect(code).toBe(1);
    expect(about('READONLY')).toMatchObject({
      level: 'bad',
      advice: expect.stringContaining('redis+sentinel'),
    });
    expect(about('lacks a right')).toBeUndefined();
  });

  it.each([
    ['OOM', 'maxmemory', '1', '0'],
    ['NOREPLICAS', 'min-replicas-to-write', '3', '0'],
  ])('tells %s from a right that is missing, and names %s', async (error, setting, bad, good) => {
    await redis.client.config('SET', setting, bad);
    const { code, about } = await doctor();
    await redis.client.config('SET', setting, good);
    expect(code).toBe(1);
    expect(about(error)).toMatchObject({ level: 'bad', advice: expect.stringContaining(setting) });
    expect(about('lacks a right')).toBeUndefined();
  });

  it('tells a disk that cannot be written to from a right that is missing', async () => {
    const full = await testRedis();
    const client = new Redis(full.url);
    await client.config('SET', 'save', '3600 1');
    const [, folder = ''] = (await client.config('GET', 'dir')) as string[];
    rmSync(folder, { recursive: true });
    await client.bgsave();
    await eventually(async () => (await client.info()).includes('rdb_last_bgsave_status:err'));
    const { code, about } = await doctor({ REDIS_URL: full.url });
    // Else it would try to save before it ends, and be killed in the end.
    await client.config('SET', 'save', '');
    client.disconnect();
    await full.stop();
    expect(code).toBe(1);
    expect(about('MISCONF')).toMatchObject({ level: 'bad', advice: expect.stringContaining('disk') });
    expect(about('lacks a right')).toBeUndefined();
  });

  it('finds a Redis that is too old', async () => {
    for (const [version, level] of [
      ['6.0.16', 'bad'],
      ['6.2.0', 'good'],
      ['10.0.0', 'good'],
    ] as const) {
      const pretended = await pretendRedis(version);
      const { code, about } = await doctor({ REDIS_URL: pretended.url });
      pretended.stop();
      expect([about(`Redis ${version}`)?.level, code]).toEqual([level, 1]);
    }
  });

  it('finds a clock that is wrong, and minds a little less', async () => {
    for (const [offMs, level] of [
      [0, 'good'],
      [-3000, 'warning'],
      [60_000, 'bad'],
    ] as const) {
      const pretended = await pretendRedis('7.0.0', offMs);
      const { about } = await doctor({ REDIS_URL: pretended.url });
      pretended.stop();
      expect(about('its clock')?.level, `${offMs} ms`).toBe(level);
    }
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
