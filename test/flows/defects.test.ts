import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { ask } from '../support/admin.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { adminTokenFor, tokenFor } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { testRedis } from '../support/redis.js';
import { Scrape } from '../support/scrape.js';

let redis: RedisProcess;
let store: Redis;
let node: NodeProcess;

beforeAll(async () => {
  redis = await testRedis();
  store = new Redis(redis.url);
  node = await NodeProcess.start(redis.url, {
    SOLESEAT_LOG_LEVEL: 'info',
    SOLESEAT_LEASE_TTL_MS: '15s',
    SOLESEAT_COMMAND_TIMEOUT_MS: '4s',
    SOLESEAT_METRICS_EVERY_MS: '100',
    SOLESEAT_SWEEP_EVERY_MS: '200',
  });
});
afterEach(async () => {
  await store.flushall();
});
afterAll(async () => {
  await node.kill();
  store.disconnect();
  await redis.stop();
});

const keyOf = (name: string) => `soleseat:{acme}:${name}`;
const dial = (user: string) => Desktop.hello(node.ports.public, user, 'pc');
const leasesOf = (desktop: Desktop) => desktop.received.filter(({ type }) => type === 'lease').length;

type Line = Readonly<Record<string, unknown>>;
const linesFrom = (index: number) => node.lines.slice(index).map((line) => JSON.parse(line) as Line);
const isError = ({ level }: Line) => level === 50;

/** Redis is well, and nobody is told otherwise. */
async function expectRedisWell(from: number): Promise<void> {
  expect(await node.readiness()).toBe(200);
  const scrape = await Scrape.of(node.ports.admin);
  expect(scrape.page).not.toContain('soleseat_redis_down_cause{');
  expect(scrape.value('soleseat_redis_up{role="commands"}')).toBe(1);
  expect(linesFrom(from).filter(({ level, place }) => level === 40 && place !== undefined)).toEqual([]);
}

describe('what Redis holds cannot be used', () => {
  it('a client that claims is closed as at an overload, and the log has the cause once', async () => {
    await store.set(keyOf('active'), 'not a sorted set');
    const from = node.lines.length;
    const desktop = await dial('ada');
    expect(await desktop.close()).toEqual({ code: 1013, reason: 'overloaded' });
    expect(JSON.stringify(desktop.received)).not.toMatch(/WRONGTYPE|Redis/);
    const admission = ({ msg }: Line) => msg === 'admission failed';
    await eventually(() => linesFrom(from).some(admission));
    expect(linesFrom(from).filter(admission)).toEqual([
      expect.objectContaining({ level: 50, reason: expect.stringContaining('WRONGTYPE') }),
    ]);
    await expectRedisWell(from);
  });

  it('a caller of the admin API is answered 500 without a word of the inside, and the log has the cause', async () => {
    await store.sadd('soleseat:orgs', 'acme');
    await store.set(keyOf('licensed'), 'not a sorted set');
    const from = node.lines.length;
    const answer = await ask(node, 'GET', '/v1/admin/orgs/acme/licenses');
    expect(answer.status).toBe(500);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toEqual({ status: 500, code: 'internal', title: expect.any(String) });
    expect(answer.text).not.toMatch(/WRONGTYPE|Redis|redis/);
    const isTold = ({ msg }: Line) => msg === 'admin request failed';
    await eventually(() => linesFrom(from).some(isTold));
    expect(linesFrom(from).filter(isTold)).toEqual([
      expect.objectContaining({
        level: 50,
        reason: expect.stringContaining('WRONGTYPE'),
        route: '/v1/admin/orgs/:org/licenses',
      }),
    ]);
    await expectRedisWell(from);
  });

  it('a person who asks for the own seat is answered 500, and the log has the cause', async () => {
    await store.hset(keyOf('lease:ada'), 'not', 'a text');
    const from = node.lines.length;
    const headers = { authorization: `Bearer ${tokenFor('ada')}` };
    const answer = await fetch(`http://127.0.0.1:${node.ports.public}/v1/session`, { headers });
    expect(answer.status).toBe(500);
    expect(await answer.json()).toEqual({ status: 500, title: 'the seat cannot be looked up' });
    const isTold = ({ msg }: Line) => msg === 'seat not looked up';
    await eventually(() => linesFrom(from).some(isTold));
    expect(linesFrom(from).filter(isTold)).toMatchObject([
      { level: 50, reason: expect.stringContaining('WRONGTYPE') },
    ]);
  });

  it.each([
    ['before its first byte', 'export'],
    ['after its first byte', 'stream'],
  ])('a stream of the admin API breaks off %s, and the log has the cause once', async (_, what) => {
    await store.sadd('soleseat:orgs', 'acme');
    const spoil = () => store.set(keyOf('events'), 'not a stream');
    if (what === 'export') await spoil();
    const from = node.lines.length;
    const url = `http://127.0.0.1:${node.ports.admin}/v1/admin/orgs/acme/events/${what}`;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${adminTokenFor()}` } });
    expect(answer.status).toBe(what === 'export' ? 500 : 200);
    await spoil();
    await answer.text().catch(() => {}); // It breaks off.
    const isTold = ({ msg }: Line) => msg === 'admin request failed';
    await eventually(() => linesFrom(from).some(isTold));
    // What came by twice is written by then.
    await ask(node, 'GET', '/v1/admin/orgs/acme');
    expect(linesFrom(from).filter(isTold)).toEqual([
      expect.objectContaining({
        level: 50,
        reason: expect.stringContaining('WRONGTYPE'),
        route: expect.stringContaining(`/events/${what}`),
      }),
    ]);
  });

  it('a lease that is no text endangers its own session, and none of those renewed with it', async () => {
    const people = Array.from({ length: 12 }, (_, i) => `person-${i}`);
    const desktops = await Promise.all(people.map(dial));
    await Promise.all(desktops.map((desktop) => desktop.told('lease')));
    const from = node.lines.length;
    const [broken, ...others] = desktops;
    const key = keyOf('lease:person-0');
    await store.multi().del(key).hset(key, 'not', 'a text').exec();
    // All are asked about at once, in one batch: as after a subscription.
    await store.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    const before = others.map(leasesOf);
    await broken?.told('jeopardy');
    await eventually(() => others.every((one, i) => leasesOf(one) >= (before[i] ?? 0) + 3));
    expect(others.filter((one) => one.find('jeopardy') !== undefined || one.closed !== null)).toEqual([]);
    const isTold = (line: Line) => isError(line) && String(line.work).startsWith('renewals');
    expect(linesFrom(from).filter(isTold)).toEqual([
      expect.objectContaining({ work: 'renewals of acme', reason: expect.stringContaining('WRONGTYPE') }),
    ]);
    expect(await node.readiness()).toBe(200);
    // It is tried each second, and said once.
    const isFailure = (line: Line) => line.msg === 'renewal failed';
    expect(linesFrom(from).filter(isFailure)).toEqual([
      expect.objectContaining({ org: 'acme', sessions: 1 }),
    ]);
    // It goes on where its record can be read again.
    await store.del(key);
    await broken?.told('recovered');
    for (const desktop of desktops) desktop.ws.terminate();
  });

  it('what is done again and again tells of it once', async () => {
    const from = node.lines.length;
    // An org that somebody must look at by now.
    await store.sadd('soleseat:orgs', 'globex');
    await store.set('soleseat:{globex}:counters', 'not a hash');
    await store.zadd('soleseat:due', 1, 'globex');
    const isTold = (line: Line) => isError(line) && line.work !== undefined;
    await eventually(() => linesFrom(from).some(isTold));
    const errors = async () =>
      (await Scrape.of(node.ports.admin)).value('soleseat_redis_script_errors_total{operation="look"}');
    const before = await errors();
    await eventually(async () => (await errors()) >= before + 3);
    expect(linesFrom(from).filter(isTold)).toContainEqual(
      expect.objectContaining({ work: 'sweep', reason: expect.stringContaining('org globex') }),
    );
    const works = linesFrom(from)
      .filter(isTold)
      .map(({ work }) => work);
    expect(works.length).toBe(new Set(works).size);
    await expectRedisWell(from);
  });
});
