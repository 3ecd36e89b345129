import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLog } from '../../src/base/log.js';
import { createMetrics } from '../../src/base/metrics.js';
import { keyNames } from '../../src/store/keys.js';
import { connectRedis, openCommands } from '../../src/store/redis.js';
import { Scripts } from '../../src/store/scripts.js';
import { eventually } from '../support/eventually.js';
import { useRedis } from '../support/redis.js';

const server = useRedis();
let redis: Redis;
let scripts: Scripts;

beforeEach(async () => {
  const parts = { log: createLog('silent', 'test'), metrics: createMetrics() };
  redis = openCommands({ redisUrl: server.url, commandTimeoutMs: 30_000 }, parts) as Redis;
  await connectRedis(redis);
  scripts = new Scripts(redis, parts.metrics, keyNames('soleseat:'));
  // Known to the server from here on, so that each run is one command.
  await renew(0);
});
afterEach(() => {
  vi.useRealTimers();
  server.process.kill('SIGCONT');
  redis.disconnect();
});

/** A script about a lease that tells in its reply which one it was. */
async function renew(i: number): Promise<unknown> {
  const user = `user-${i}`;
  await server.client.set(`lease-${i}`, `other:${i}:`);
  return run(i, user);
}
const order = JSON.stringify({ org: 'acme', nodeId: 'n1', ttlMs: 1000, floor: '0', view: '0' });
const run = (i: number, user = `user-${i}`) =>
  scripts.run('renew', { org: 'acme' }, [order, user, 'mine:1:', '1', 'connection'], [`lease-${i}`]);

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** The writes to the socket from now on. */
function writesOf({ stream }: Redis): { readonly count: number } {
  const spies = [vi.spyOn(stream, '_write'), vi.spyOn(stream, '_writev' as '_write')];
  return {
    get count() {
      return spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
    },
  };
}

/** The 1 ms for which scripts may gather never passes: what leaves, leaves for another reason. */
const holdForever = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });

/** Nothing is under way and nothing held back: a lone script leaves in the turn in which it is sent. */
async function expectUncorked(): Promise<void> {
  holdForever();
  expect(redis.stream.writableCorked).toBe(0);
  const answer = run(0);
  await turn();
  expect(redis.stream.writableCorked).toBe(0);
  expect(await answer).toEqual([expect.any(String), '', 'other:0:']);
  vi.useRealTimers();
}

describe('the writes that scripts share', () => {
  it('let a lone script leave at once', async () => {
    const writes = writesOf(redis);
    await expectUncorked();
    expect(writes.count).toBe(1);
  });

  it('are one for all scripts of a turn, and each gets its own reply', async () => {
    for (let i = 0; i < 100; i++) await server.client.set(`lease-${i}`, `other:${i}:`);
    const writes = writesOf(redis);
    const replies = await Promise.all(Array.from({ length: 100 }, (_, i) => run(i)));
    expect(replies).toEqual(Array.from({ length: 100 }, (_, i) => [expect.any(String), '', `other:${i}:`]));
    expect(writes.count).toBe(1);
    await expectUncorked();
  });

  it('are one for all scripts that come while another is unanswered, once it is answered', async () => {
    holdForever();
    const writes = writesOf(redis);
    server.process.kill('SIGSTOP');
    const answers = [run(0)];
    await turn();
    expect(writes.count).toBe(1);
    for (let i = 0; i < 10; i++) {
      answers.push(run(0));
      await turn();
    }
    expect(writes.count).toBe(1);
    server.process.kill('SIGCONT');
    expect(await Promise.all(answers)).toHaveLength(11);
    expect(writes.count).toBe(2);
    await expectUncorked();
  });

  it('do not wait for a reply that never comes', async () => {
    const writes = writesOf(redis);
    server.process.kill('SIGSTOP');
    const answers = [run(0)];
    await turn();
    answers.push(run(0));
    await eventually(() => writes.count === 2);
    expect(redis.stream.writableCorked).toBe(0);
    answers.push(run(0));
    await eventually(() => writes.count === 3);
    expect(redis.stream.writableCorked).toBe(0);
    server.process.kill('SIGCONT');
    expect(await Promise.all(answers)).toHaveLength(3);
    await expectUncorked();
  });

  it('hold nothing back after a script that Redis refused', async () => {
    const refused = scripts.run('renew', { org: 'acme' }, ['no number', 'user-0', 'mine:1:'], ['lease-0']);
    await expect(Promise.all([refused, run(0)])).rejects.toThrow();
    await expectUncorked();
  });

  it('hold nothing back after a script that the server did not know', async () => {
    await server.client.script('FLUSH');
    expect(await Promise.all([run(0), run(0)])).toHaveLength(2);
    await expectUncorked();
  });

  it('hold nothing back after the connection broke with scripts under way, some of them not yet written', async () => {
    const { stream } = redis;
    server.process.kill('SIGSTOP');
    const answers = [run(0)];
    await turn();
    answers.push(run(0), run(0));
    redis.disconnect(true);
    const outcomes = await Promise.allSettled(answers);
    expect(outcomes.map(({ status }) => status)).toEqual(Array(3).fill('rejected'));
    server.process.kill('SIGCONT');
    if (redis.status !== 'ready') await once(redis, 'ready');
    expect(redis.stream).not.toBe(stream);
    await expectUncorked();
    const writes = writesOf(redis);
    expect(await Promise.all([run(0), run(0)])).toHaveLength(2);
    expect(writes.count).toBe(1);
  });
});
