import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { provisionRedis } from '../../src/embedded/find-redis.js';
import { type RedisProcess, startRedis } from '../../src/embedded/redis-process.js';
import { eventually } from '../support/eventually.js';
import { NodeProcess } from '../support/node-process.js';
import { testRedis } from '../support/redis.js';
import { Scrape } from '../support/scrape.js';

const PASSWORD = 'first';
const folder = mkdtempSync(join(tmpdir(), 'soleseat-causes-'));
let redis: RedisProcess;
let other: RedisProcess;
let store: Redis;
let node: NodeProcess;

beforeAll(async () => {
  const { path } = await provisionRedis({ onProgress: () => {} });
  const user = ['--user', 'node', 'on', `>${PASSWORD}`, '~*', '&*', '+@all'];
  // Redis answers while it reads its data, and reads slowly, so that it can be watched.
  const slowly = ['--loading-process-events-interval-bytes', '1024', '--key-load-delay', '1000'];
  const extraArgs = [...user, ...slowly];
  redis = await startRedis({ binary: path, dir: folder, appendOnly: true, extraArgs });
  other = await testRedis();
  // It takes commands while Redis reads its data.
  store = new Redis(redis.url, { maxRetriesPerRequest: null, enableReadyCheck: false });
  store.on('error', () => {});
  const url = redis.url.replace('redis://', `redis://node:${PASSWORD}@`);
  // At debug each attempt has its line.
  const settings = { SOLESEAT_LOG_LEVEL: 'debug', SOLESEAT_METRICS_EVERY_MS: '200' };
  node = await NodeProcess.start(url, settings);
});
afterAll(async () => {
  await node.kill();
  store.disconnect();
  await Promise.all([redis.stop(), other.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

async function readyz(): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`http://127.0.0.1:${node.ports.admin}/readyz`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const killNode = () => store.call('CLIENT', 'KILL', 'USER', 'node');
const userIs = (...rules: string[]) => store.call('ACL', 'SETUSER', 'node', ...rules);
const config = (name: string, value: string) => store.config('SET', name, value);

interface OutageCase {
  readonly cause: string;
  /** A part of what is said to people. */
  readonly says: string;
  readonly begin: () => Promise<unknown>;
  readonly end: () => Promise<unknown>;
}

const outages: readonly OutageCase[] = [
  {
    cause: 'wrong_password',
    says: 'does not accept the user or the password',
    begin: async () => {
      await userIs('resetpass', '>another');
      await killNode();
    },
    end: () => userIs('resetpass', `>${PASSWORD}`),
  },
  {
    cause: 'no_permission',
    says: 'lacks a right',
    begin: () => userIs('-zadd'),
    end: () => userIs('+zadd'),
  },
  {
    cause: 'too_many_clients',
    says: 'as many connections as it may have',
    begin: async () => {
      // Redis keeps those that it has. One is ours.
      await config('maxclients', '1');
      await killNode();
    },
    end: () => config('maxclients', '1000'),
  },
  {
    cause: 'read_only',
    says: 'a replica',
    begin: () => store.call('REPLICAOF', '127.0.0.1', String(other.port)),
    end: () => store.call('REPLICAOF', 'NO', 'ONE'),
  },
  {
    cause: 'too_few_replicas',
    says: 'too few replicas',
    begin: () => config('min-replicas-to-write', '3'),
    end: () => config('min-replicas-to-write', '0'),
  },
  {
    cause: 'disk',
    says: 'cannot write to its disk',
    begin: async () => {
      // A snapshot cannot take the place of a folder.
      // A replica's first copy may have left one.
      rmSync(join(folder, 'dump.rdb'), { recursive: true, force: true });
      mkdirSync(join(folder, 'dump.rdb'));
      await config('save', '3600 1');
      await store.bgsave();
    },
    end: async () => {
      rmdirSync(join(folder, 'dump.rdb'));
      await config('save', '');
    },
  },
  {
    cause: 'busy',
    says: 'one long script holds it',
    begin: async () => {
      await config('busy-reply-threshold', '100');
      const looping = new Redis(redis.url, { maxRetriesPerRequest: 0 });
      // It is ended by SCRIPT KILL, which is its error.
      looping
        .eval('while true do end', 0)
        .catch(() => {})
        .finally(() => looping.disconnect());
    },
    end: () => store.call('SCRIPT', 'KILL'),
  },
  {
    cause: 'timeout',
    says: 'does not answer in time',
    begin: async () => redis.kill('SIGSTOP'),
    end: async () => redis.kill('SIGCONT'),
  },
  {
    cause: 'refused',
    says: 'nothing listens at its address',
    begin: () => redis.stop(),
    end: () => redis.restart(),
  },
  {
    cause: 'loading',
    says: 'still reading its data',
    begin: async () => {
      const pipeline = store.pipeline();
      for (let i = 0; i < 6000; i++) pipeline.set(`filler:${i}`, 'x');
      await pipeline.exec();
      // While it reads commands it answers after every 1024 of them, while it reads a snapshot after every kilobyte.
      await store.call('BGREWRITEAOF');
      await eventually(async () => /aof_rewrites:[1-9]/.test(await store.info()));
      await eventually(async () => (await store.info()).includes('aof_rewrite_in_progress:0'));
      await redis.stop();
      restarted = redis.restart();
    },
    end: async () => {
      await config('key-load-delay', '0');
      await restarted;
    },
  },
];
let restarted: Promise<void> | null = null;

type Line = Readonly<Record<string, unknown>>;
const linesFrom = (index: number) => node.lines.slice(index).map((line) => JSON.parse(line) as Line);
const isAttempt = ({ msg }: Line) => /^(redis connection|work on Redis) failed$/.test(String(msg));
const isOfCommands = ({ place }: Line) => place === 'commands' || place === 'writes';

describe('a node whose Redis is out of reach or refuses its service', () => {
  it.each(outages)('says $cause in /readyz, in the metric, and once in the log', async (one) => {
    const { cause, says, begin, end } = one;
    const isTold = (line: Line) => line.level === 40 && line.cause === cause && isOfCommands(line);
    // Twice: after it was well it is told again.
    for (let round = 0; round < 2; round++) {
      await eventually(async () => (await readyz()).status === 200);
      const from = node.lines.length;
      await begin();
      let answer = await readyz();
      await eventually(async () => {
        answer = await readyz();
        return answer.body.cause === cause;
      });
      const reason = expect.stringContaining(says);
      expect(answer).toEqual({ status: 503, body: { ready: false, cause, reason } });
      const series = `soleseat_redis_down_cause{role="commands",cause="${cause}"}`;
      await eventually(async () => (await Scrape.of(node.ports.admin)).value(series) === 1);
      const toldAt = node.lines.length;
      await eventually(() => linesFrom(toldAt).filter(isAttempt).length >= 3);
      expect(linesFrom(from).filter(isTold)).toEqual([
        expect.objectContaining({
          msg: answer.body.reason,
          reason: expect.any(String),
          next: expect.any(String),
        }),
      ]);
      await end();
      const isWell = (line: Line) => line.msg === 'Redis is well again' && isOfCommands(line);
      await eventually(() => linesFrom(from).some(isWell));
    }
    await eventually(async () => (await readyz()).status === 200);
    const { page } = await Scrape.of(node.ports.admin);
    expect(page).not.toContain('soleseat_redis_down_cause{role="commands"');
  });
});
