import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { SettingTexts } from '../../src/base/settings.js';
import { provisionRedis } from '../../src/embedded/find-redis.js';
import { type RedisProcess, startRedis } from '../../src/embedded/redis-process.js';
import { recount } from '../../src/license/recount.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { startNode } from '../support/node.js';
import { blockOf, otherServers, redisScript } from '../support/redis-scripts.js';
import { orderFor } from '../support/store.js';

const { path } = await provisionRedis();
const servers = [path, ...otherServers(path)];
const NOW = ['--repl-diskless-sync-delay', '0'];

function folderFor(): string {
  const folder = mkdtempSync(join(tmpdir(), 'soleseat-restore-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function kept(
  binary: string,
  folder = folderFor(),
  more: { readonly appendOnly?: boolean; readonly extraArgs?: readonly string[] } = {},
): Promise<{ redis: RedisProcess; client: Redis; dir: string; address: string[] }> {
  const dir = join(folder, 'redis');
  const extraArgs = [...NOW, ...(more.extraArgs ?? [])];
  const redis = await startRedis({ binary, dir, appendOnly: more.appendOnly ?? true, extraArgs });
  const client = new Redis(redis.url);
  client.on('error', () => {});
  onTestFinished(async () => {
    client.disconnect();
    await redis.stop();
  });
  return { redis, client, dir, address: ['-h', '127.0.0.1', '-p', String(redis.port)] };
}

async function nodeOn(url: string, more: SettingTexts = {}) {
  const node = await startNode(url, { SOLESEAT_LICENSE_MODE: 'required', ...more });
  onTestFinished(() => node.stop());
  return node;
}

/** The server dies, and its disk with it. */
async function destroy({ redis, dir }: { readonly redis: RedisProcess; readonly dir: string }) {
  redis.kill('SIGKILL');
  await eventually('the server has ended', () => {
    const stat = `/proc/${redis.pid}/stat`;
    return !existsSync(stat) || / Z /.test(readFileSync(stat, 'utf8').replace(/.*\)/, ''));
  });
  rmSync(dir, { recursive: true });
  mkdirSync(dir);
}

async function replicationId(client: Redis): Promise<string> {
  return /master_replid:(\w{16})/.exec(await client.info('replication'))?.[1] ?? '';
}

const seat = async (node: { readonly ports: { readonly public: number } }, user: string, machine: string) => {
  const desktop = await Desktop.hello(node.ports.public, user, machine);
  onTestFinished(() => desktop.ws.terminate());
  return desktop;
};

describe.each(servers)('a backup of %s', (binary) => {
  it('is taken under work and put in place: sessions go on, and each org begins a new reign', async () => {
    const server = await kept(binary);
    const { redis, client, dir, address } = server;
    const file = join(dir, '..', 'soleseat.rdb');
    const node = await nodeOn(redis.url);
    const issue = (user: string) =>
      node.store.licenses.issue({ ...orderFor(user), id: user, requestId: user });
    for (const user of ['ada', 'ben', 'gone', 'eve']) await issue(user);
    await node.store.licenses.revoke(orderFor('gone'));
    const desk = await seat(node, 'ada', 'desk');
    await desk.told('welcome');
    const work = Promise.all(Array.from({ length: 20 }, (_, i) => issue(`worker-${i}`)));
    const made = await redisScript('backup.sh', [file, ...address]);
    expect(made, made.err).toMatchObject({ code: 0, out: expect.stringMatching(/: \d+ keys\n$/) });
    expect(statSync(file).mode & 0o077).toBe(0);
    await work;
    await issue('late');
    await node.store.licenses.revoke(orderFor('eve'));
    const laptop = await seat(node, 'ada', 'laptop');
    const { sessionId, epoch } = await laptop.told('welcome');
    const before = await replicationId(client);

    await destroy(server);
    const put = await redisScript('restore.sh', [file, dir]);
    expect(put, put.err).toMatchObject({ code: 0 });
    await redis.restart();
    await laptop.until(() => laptop.epoch > epoch || laptop.closed !== null);
    expect([laptop.closed, laptop.find('evicted')]).toEqual([null, undefined]);
    expect(await client.get('soleseat:{acme}:lease:ada')).toMatch(new RegExp(`^${sessionId}:`));
    const [id, first] = (await client.get('soleseat:{acme}:reign'))?.split(':') ?? [];
    expect(id).toBe(await replicationId(client));
    expect(id).not.toBe(before);
    expect(Number(first)).toBeGreaterThan(epoch);

    await eventually(
      () =>
        node.ports.public !== 0 && fetch(`http://127.0.0.1:${node.ports.admin}/readyz`).then(({ ok }) => ok),
    );
    const ben = await (await seat(node, 'ben', 'pc')).told('welcome');
    expect(ben.epoch).toBeGreaterThan(Number(first) - 1);
    // What the backup does not know is gone, and what was revoked since is valid again: the page says so.
    expect((await (await seat(node, 'late', 'pc')).close()).code).toBe(4513);
    expect((await (await seat(node, 'gone', 'pc')).close()).code).toBe(4511);
    await (await seat(node, 'eve', 'pc')).told('welcome');
    expect((await recount(node.store, 'acme', { repairBy: null })).differences).toEqual([]);
    expect(await node.store.totals.check(false)).toEqual([]);
  });

  it('gives its data after further restarts, too, and after a rewrite of the append-only file', async () => {
    const { redis, client, dir, address } = await kept(binary);
    await client.mset('before', '1', 'both', '1');
    const file = join(dir, '..', 'soleseat.rdb');
    expect((await redisScript('backup.sh', [file, ...address])).code).toBe(0);
    await redis.stop();
    expect((await redisScript('restore.sh', [file, dir])).code).toBe(0);
    await redis.restart();
    await client.set('after', '1');
    await redis.restart();
    await client.bgrewriteaof();
    await eventually('the rewrite has ended', async () =>
      /aof_rewrite_in_progress:0[\s\S]*aof_rewrite_scheduled:0/.test(await client.info('persistence')),
    );
    await redis.restart();
    expect((await client.keys('*')).sort()).toEqual(['after', 'before', 'both']);
    // What was there lies aside, whole.
    const [aside = ''] = readdirSync(dir).filter((name) => name.startsWith('before-restore-'));
    expect(readdirSync(join(dir, aside))).toContain('appendonlydir');
  });

  it('is of no use as dump.rdb where the server has an append-only file: it starts empty', async () => {
    const { redis, client, dir, address } = await kept(binary);
    await client.set('key', '1');
    const file = join(dir, '..', 'soleseat.rdb');
    expect((await redisScript('backup.sh', [file, ...address])).code).toBe(0);
    await redis.stop();
    rmSync(dir, { recursive: true });
    mkdirSync(dir);
    copyFileSync(file, join(dir, 'dump.rdb'));
    await redis.restart();
    expect(await client.dbsize()).toBe(0);
  });

  it('is put in place as dump.rdb for a server without an append-only file, on request', async () => {
    const { redis, client, dir, address } = await kept(binary, folderFor(), { appendOnly: false });
    await client.set('key', '1');
    const file = join(dir, '..', 'soleseat.rdb');
    expect((await redisScript('backup.sh', [file, ...address])).code).toBe(0);
    await redis.stop();
    expect((await redisScript('restore.sh', ['--no-appendonly', file, dir])).code).toBe(0);
    await redis.restart();
    expect(await client.get('key')).toBe('1');
    expect(existsSync(join(dir, 'appendonly.aof'))).toBe(false);
  });

  it('goes under other names where the server has them, and its replicas copy it', async () => {
    const names = ['--appendfilename', 'seats.aof', '--appenddirname', 'seats'];
    const { redis, client, dir, address } = await kept(binary, folderFor(), { extraArgs: names });
    await client.set('key', 'of the backup');
    const file = join(dir, '..', 'soleseat.rdb');
    expect((await redisScript('backup.sh', [file, ...address])).code).toBe(0);
    await client.set('key', 'newer');
    const replica = await kept(binary, folderFor(), {
      extraArgs: ['--replicaof', `127.0.0.1 ${redis.port}`],
    });
    await eventually(async () => (await replica.client.get('key')) === 'newer');
    await redis.stop();
    const own = { APPENDFILENAME: 'seats.aof', APPENDDIRNAME: 'seats' };
    expect((await redisScript('restore.sh', [file, dir], own)).code).toBe(0);
    await redis.restart();
    expect(await client.get('key')).toBe('of the backup');
    await eventually(async () => (await replica.client.get('key')) === 'of the backup');
  });
});

describe('backup.sh', () => {
  it('works as the user of docs/backup.md, who can change nothing', async () => {
    const { client, dir, address } = await kept(path);
    const [, , ...rules] = blockOf('backup-user').trim().replace('>PASSWORD', '>secret').split(' ');
    await client.acl('SETUSER', ...(rules as [string, ...string[]]));
    await client.set('key', '1');
    const file = join(dir, '..', 'a folder of mine', "it's.rdb");
    mkdirSync(join(file, '..'));
    const as = [...address, '--user', 'soleseat-backup'];
    const made = await redisScript('backup.sh', [file, ...as], { REDISCLI_AUTH: 'secret' });
    expect(made, made.err).toMatchObject({ code: 0, out: `${file}: 1 keys\n` });
    const limited = client.duplicate({
      username: 'soleseat-backup',
      password: 'secret',
      enableReadyCheck: false,
      disableClientInfo: true,
    });
    for (const command of [
      ['GET', 'key'],
      ['SET', 'key', '2'],
      ['FLUSHALL'],
      ['CONFIG', 'GET', '*'],
      ['EVAL', 'return 1', '0'],
    ]) {
      const [name = '', ...args] = command;
      await expect(limited.call(name, ...args)).rejects.toThrow(/NOPERM/);
    }
    limited.disconnect();
  });

  it.each([
    ['a wrong password', 'secret', /WRONGPASS|AUTH failed/],
    ['a server that is not there', null, /Could not connect/],
  ])('leaves the file of last time as it is, and none beside it: %s', async (_, password, words) => {
    const { client, dir, address } = await kept(path);
    await client.set('key', '1');
    const folder = join(dir, '..', 'backups');
    mkdirSync(folder);
    const file = join(folder, 'soleseat.rdb');
    writeFileSync(file, 'of last time');
    const to = password === null ? ['-h', '127.0.0.1', '-p', '1'] : address;
    if (password !== null) await client.config('SET', 'requirepass', password);
    const made = await redisScript('backup.sh', [file, ...to], {
      REDISCLI_AUTH: password === null ? '' : 'wrong',
    });
    expect(made.code).toBe(1);
    expect(made.err + made.out).toMatch(words);
    expect(readdirSync(folder)).toEqual(['soleseat.rdb']);
    expect(readFileSync(file, 'utf8')).toBe('of last time');
  });
});

describe('restore.sh', () => {
  it('refuses while a server runs in the folder, and changes nothing', async () => {
    const { client, dir, address } = await kept(path);
    await client.set('key', '1');
    const file = join(dir, '..', 'soleseat.rdb');
    await redisScript('backup.sh', [file, ...address]);
    const before = readdirSync(dir);
    const put = await redisScript('restore.sh', [file, dir]);
    expect(put).toMatchObject({ code: 75, err: expect.stringContaining('stop it first') });
    expect(readdirSync(dir)).toEqual(before);
  });

  it.each([
    ['cut short', (whole: Buffer) => whole.subarray(0, whole.length - 20)],
    ['empty', () => Buffer.alloc(0)],
    ['of another kind', () => Buffer.from('user,expiresAt\nada,\n')],
    [
      'with a bit turned over',
      (whole: Buffer) => Buffer.from(whole.map((byte, i) => (i === whole.length - 30 ? byte ^ 1 : byte))),
    ],
  ])('refuses a file that is %s, and changes nothing', async (_, spoil) => {
    const { redis, client, dir, address } = await kept(path);
    await client.set('key', 'a value of some length, so that there is something to spoil in the middle');
    const file = join(dir, '..', 'soleseat.rdb');
    await redisScript('backup.sh', [file, ...address]);
    await redis.stop();
    writeFileSync(file, spoil(readFileSync(file)));
    const before = readdirSync(dir);
    expect((await redisScript('restore.sh', [file, dir])).code).toBe(65);
    expect(readdirSync(dir)).toEqual(before);
    await redis.restart();
    expect(await client.exists('key')).toBe(1);
  });
});
