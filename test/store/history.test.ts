import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keyNames } from '../../src/store/keys.js';
import type { ClaimRequest } from '../../src/store/lease-types.js';
import { withinOneMinute } from '../support/calendar.js';
import { ForgetfulRedis } from '../support/failover.js';
import { leaseFrom, ORG, requestFor, storeOn } from '../support/store.js';

const keys = keyNames('soleseat:');
const DAY_MS = 86_400_000;
const always = { fromMs: 0, untilMs: 999_999_999_999_999 };
const store = () => storeOn(redis.client);
let redis: ForgetfulRedis;

beforeAll(async () => {
  redis = await ForgetfulRedis.start();
});
beforeEach(() => redis.flush());
afterAll(() => redis.stop());

async function hold(user: string, machine: string, more: Partial<ClaimRequest> = {}) {
  const request = requestFor(user, { id: machine, name: `${user}’s ${machine}` }, more);
  return leaseFrom(request, await store().leases.claim(request));
}
const historyOf = async (user: string, limit = 50) =>
  (await store().history.page(ORG, user, always, null, limit)).items;
const cad = { clientText: JSON.stringify({ name: 'cad', version: '4.2' }), address: '192.0.2.7' };
/** As if it had been written so long ago. */
const writeAgo = (user: string, ms: number, sessionId: string) =>
  redis.client.xadd(
    keys.history(ORG, user),
    `${Date.now() - ms}-1`,
    ...[
      'sessionId',
      sessionId,
      'since',
      String(Date.now() - ms - 3_600_000),
      'machine',
      'desk',
      'reason',
      'released',
    ],
  );

describe('the history of a user', () => {
  it('tells each session once, from its grant to its end, with machine, program, reason and by whom', async () => {
    const first = await hold('ann', 'desk', cad);
    const resumed = await hold('ann', 'desk', { ...cad, resume: first });
    const second = await hold('ann', 'lap');
    await store().leases.evict({
      ...{ org: ORG, user: 'ann', reason: 'evicted_by_admin' },
      actor: { name: 'root', role: 'admin' },
    });
    const third = await hold('ann', 'desk');
    await store().leases.release(third);
    const last = await hold('ann', 'lap', cad);
    expect(resumed.sessionId).toBe(first.sessionId);
    const lines = await historyOf('ann');
    expect(lines).toMatchObject([
      {
        sessionId: last.sessionId,
        endedMs: null,
        machine: { id: 'lap' },
        client: { name: 'cad', version: '4.2' },
      },
      { sessionId: third.sessionId, reason: 'released', actor: 'user', machine: { id: 'desk' } },
      { sessionId: second.sessionId, reason: 'evicted_by_admin', actor: 'root', beganMs: second.sinceMs },
      {
        ...{ kind: 'session', sessionId: first.sessionId, reason: 'taken_over', actor: 'user' },
        ...{ machine: { id: 'desk', name: 'ann’s desk' }, client: { name: 'cad', version: '4.2' } },
        beganMs: first.sinceMs,
      },
    ]);
    expect(lines).toHaveLength(4);
  });

  it('knows the program and the machine of a session that ran out, or came back to a Redis that forgot', async () => {
    const held = await hold('ann', 'desk', cad);
    await redis.client.del(keys.lease(ORG, 'ann'));
    await hold('ann', 'lap');
    expect((await historyOf('ann'))[1]).toMatchObject({ reason: 'expired', client: { name: 'cad' } });
    await redis.flush();
    expect((await store().leases.renew(ORG, [held]))[0]).toMatchObject({ outcome: 'reasserted' });
    expect(await redis.client.get(keys.lease(ORG, 'ann')), 'the org no longer says so').not.toContain(
      '192.0.2',
    );
    await hold('ann', 'lap');
    expect((await historyOf('ann'))[1]).toMatchObject({
      ...{ sessionId: held.sessionId, reason: 'taken_over', client: { name: 'cad', version: '4.2' } },
    });
  });

  it('keeps the address where the org says so, and nowhere else', async () => {
    const hide = await hold('ann', 'desk', cad);
    await store().leases.release(hide);
    await store().orgs.change(ORG, { addresses: 'keep' }, 'root');
    const keep = await hold('ann', 'desk', cad);
    expect((await historyOf('ann'))[0]).toMatchObject({ address: '192.0.2.7' });
    await redis.client.del(keys.lease(ORG, 'ann'), keys.fence(ORG, 'ann'));
    expect((await store().leases.renew(ORG, [keep]))[0]).toMatchObject({ outcome: 'reasserted' });
    await hold('ann', 'lap');
    expect((await historyOf('ann')).map((line) => 'address' in line)).toEqual([false, true, false]);
    expect((await redis.client.get(keys.lease(ORG, 'ann'))) ?? '').not.toContain('192.0.2');
  });

  it('tells what was refused: the first at once, the rest of a minute as one line', async () => {
    await withinOneMinute();
    await hold('ann', 'desk');
    const denied = () => store().leases.claim(requestFor('ann', { id: 'lap' }, { onConflict: 'deny' }));
    for (let i = 0; i < 5; i++) await denied();
    const entry = (await redis.client.hget(keys.refused(ORG), 'ann')) ?? '';
    const [minute, ...rest] = entry.split(':');
    await redis.client.hset(keys.refused(ORG), 'ann', [Number(minute) - 1, ...rest].join(':'));
    await redis.client.zadd('soleseat:due', 1, ORG);
    await redis.client.del(keys.sweepTurn);
    await store().sweeper.sweep(1);
    expect((await historyOf('ann')).slice(1)).toMatchObject([
      { kind: 'refusal', reason: 'conflict', machine: { id: 'lap' }, count: 4 },
      { kind: 'refusal', reason: 'conflict', machine: { id: 'lap' }, count: 1 },
    ]);
    expect(await redis.client.exists(keys.refused(ORG))).toBe(0);
  });

  it('comes page by page, each line once, and only of the time that is asked for', async () => {
    for (let i = 0; i < 25; i++) await hold('ann', i % 2 === 0 ? 'desk' : 'lap');
    const seen: unknown[] = [];
    let cursor: string | null = null;
    do {
      const page = await store().history.page(ORG, 'ann', always, cursor, 7);
      seen.push(...page.items.map((line) => 'sessionId' in line && line.sessionId));
      cursor = page.next;
    } while (cursor !== null);
    expect(seen).toHaveLength(25);
    expect(new Set(seen).size).toBe(25);
    await writeAgo('bob', 9 * DAY_MS, 'nine');
    await writeAgo('bob', 5 * DAY_MS, 'five');
    const nowMs = Date.now();
    const span = { fromMs: nowMs - 10 * DAY_MS, untilMs: nowMs - 7 * DAY_MS };
    const { items } = await store().history.page(ORG, 'bob', span, null, 9);
    expect(items).toMatchObject([{ sessionId: 'nine' }]);
  });

  it('ends after 400 days and 5,000 lines', async () => {
    await writeAgo('ann', 401 * DAY_MS, 'too old');
    await writeAgo('ann', 399 * DAY_MS, 'old');
    expect(await historyOf('ann')).toMatchObject([{ sessionId: 'old' }]);
    await hold('ann', 'desk');
    await hold('ann', 'lap');
    expect(await redis.client.xlen(keys.history(ORG, 'ann')), 'the next line removes it').toBe(2);
    const many = redis.client.pipeline();
    for (let i = 0; i < 5_000; i++)
      many.xadd(keys.history(ORG, 'ann'), '*', 'refused', 'conflict', 'machine', 'lap');
    await many.exec();
    await hold('ann', 'desk');
    expect(await redis.client.xlen(keys.history(ORG, 'ann'))).toBe(5_000);
    const leftMs = await redis.client.pttl(keys.history(ORG, 'ann'));
    expect(leftMs).toBeGreaterThan(399 * DAY_MS);
  });
});

describe('the history of an org', () => {
  it('has every session of every user once, with those that go on', async () => {
    for (let i = 0; i < 300; i++) {
      await hold(`user-${i}`, 'desk');
      if (i % 3 === 0) await hold(`user-${i}`, 'lap');
    }
    const found: string[] = [];
    for await (const some of store().history.sessions(ORG, always))
      found.push(
        ...some.map(({ user, session }) => `${user} ${session.sessionId} ${session.endedMs === null}`),
      );
    expect(found).toHaveLength(400);
    expect(new Set(found).size).toBe(400);
    expect(found.filter((one) => one.endsWith('true'))).toHaveLength(300);
  });
});
