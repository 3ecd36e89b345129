import { beforeEach, describe, expect, it } from 'vitest';
import { uniqueUsersNow, usageByDay, usageByHour } from '../../src/license/usage.js';
import { hourOf, keyNames, quarterOf } from '../../src/store/keys.js';
import type { Store } from '../../src/store/store.js';
import { useRedis } from '../support/redis.js';
import { ORG, storeOn } from '../support/store.js';

const keys = keyNames('soleseat:');
const redis = useRedis();
let store: Store;

beforeEach(async () => {
  await redis.client.flushall();
  store = storeOn(redis.client);
});

interface Moment {
  readonly granted?: number;
  readonly peak?: number;
  readonly users?: readonly string[];
  /** false: as version 0.1 counted, or as it is when the quarters have ended. */
  readonly quarter?: boolean;
  /** false: as version 0.1 counted users. */
  readonly userHours?: boolean;
}

/** Writes what scripts write at a moment. */
async function at(time: string, { granted = 1, peak = 1, users = [], ...kept }: Moment = {}): Promise<void> {
  const ms = Date.parse(time);
  const { quarter = true, userHours = quarter } = kept;
  const hashes = [keys.usage(ORG, hourOf(ms)), ...(quarter ? [keys.usageOfQuarter(ORG, quarterOf(ms))] : [])];
  for (const hash of hashes) {
    await redis.client.hincrby(hash, 'granted', granted);
    await redis.client.hincrby(hash, 'denied:conflict', granted);
    const before = Number((await redis.client.hget(hash, 'peak')) ?? 0);
    await redis.client.hset(hash, 'peak', Math.max(before, peak));
  }
  if (users.length === 0) return;
  await redis.client.pfadd(keys.users(ORG, hourOf(ms).slice(0, 10)), ...users);
  if (userHours) await redis.client.pfadd(keys.usersOfHour(ORG, hourOf(ms)), ...users);
  if (quarter) await redis.client.pfadd(keys.usersOfQuarter(ORG, quarterOf(ms)), ...users);
}

const days = async (timeZone: string, from: string, to: string) =>
  usageByDay(store.usage, ORG, { fromMs: Date.parse(from), untilMs: Date.parse(to), timeZone });
const grantsOf = (rows: readonly { readonly day: string; readonly granted: number }[]) =>
  Object.fromEntries(rows.map(({ day, granted }) => [day, granted]));

describe('a day of the org’s zone', () => {
  it.each([
    ['UTC', '2026-05-10T00:00:00Z'],
    ['Europe/Berlin', '2026-05-09T22:00:00Z'],
    ['America/New_York', '2026-05-10T04:00:00Z'],
    ['Asia/Kolkata', '2026-05-09T18:30:00Z'],
    ['Asia/Kathmandu', '2026-05-09T18:15:00Z'],
    ['Pacific/Chatham', '2026-05-09T11:15:00Z'],
    ['Pacific/Kiritimati', '2026-05-09T10:00:00Z'],
  ])('of %s begins exactly at %s', async (zone, start) => {
    const first = Date.parse(start);
    const iso = (ms: number) => new Date(ms).toISOString();
    await at(iso(first - 1), { granted: 1, peak: 9, users: ['before'] });
    await at(iso(first), { granted: 10, peak: 3, users: ['first', 'both'] });
    await at(iso(first + 86_399_999), { granted: 100, peak: 4, users: ['last', 'both'] });
    await at(iso(first + 86_400_000), { granted: 1000, peak: 8, users: ['after'] });
    const rows = await days(zone, start, iso(first + 1));
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      ...{ day: '2026-05-10', startMs: first, endMs: first + 86_400_000 },
      ...{ granted: 110, denied: 110, peak: 4, uniqueUsers: 3, wholeHours: false, usersOfUtcDay: false },
    });
  });

  it('has 23 or 25 hours where the clocks change, and misses and doubles none', async () => {
    for (let ms = Date.parse('2026-03-28T00:00:00Z'); ms < Date.parse('2026-03-31T00:00:00Z'); ms += 900_000)
      await at(new Date(ms).toISOString());
    const spring = await days('Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-30T12:00:00Z');
    expect(grantsOf(spring)).toEqual({ '2026-03-28': 92, '2026-03-29': 92, '2026-03-30': 96 });
    for (let ms = Date.parse('2026-10-24T00:00:00Z'); ms < Date.parse('2026-10-27T00:00:00Z'); ms += 900_000)
      await at(new Date(ms).toISOString());
    const autumn = await days('Europe/Berlin', '2026-10-25T12:00:00Z', '2026-10-25T12:00:01Z');
    expect(grantsOf(autumn)).toEqual({ '2026-10-25': 100 });
  });

  it('is exact to the hour where the quarters are gone: the hour counts once, for what begins in it', async () => {
    await at('2026-05-09T18:20:00Z', {
      granted: 1,
      peak: 5,
      quarter: false,
      userHours: true,
      users: ['ann'],
    });
    await at('2026-05-09T17:50:00Z', { granted: 20, quarter: false, userHours: true, users: ['bob'] });
    const rows = await days('Asia/Kolkata', '2026-05-09T12:00:00Z', '2026-05-10T12:00:00Z');
    expect(grantsOf(rows)).toEqual({ '2026-05-09': 20, '2026-05-10': 1 });
    expect(rows.map(({ peak }) => peak)).toEqual([1, 5]);
    expect(rows.map(({ wholeHours }) => wholeHours)).toEqual([true, true]);
    expect(rows.map(({ uniqueUsers }) => uniqueUsers)).toEqual([1, 1]);
    // Zones whose days begin with an hour of UTC need no quarters.
    expect((await days('Europe/Berlin', '2026-05-09T12:00:00Z', '2026-05-09T12:00:01Z'))[0]).toMatchObject({
      ...{ granted: 21, wholeHours: false, uniqueUsers: 2 },
    });
  });

  it('counts what nodes of version 0.1 counted in the same hour', async () => {
    await at('2026-05-09T18:10:00Z', { granted: 3 });
    await at('2026-05-09T18:40:00Z', { granted: 4 });
    await at('2026-05-09T18:10:00Z', { granted: 2, quarter: false });
    const rows = await days('Asia/Kolkata', '2026-05-09T12:00:00Z', '2026-05-10T12:00:00Z');
    expect(grantsOf(rows)).toEqual({ '2026-05-09': 3, '2026-05-10': 6 });
  });

  it('has the users of the UTC day in whose middle it lies, where version 0.1 counted them', async () => {
    await at('2026-05-09T23:00:00Z', { users: ['ann', 'bob'], quarter: false });
    await at('2026-05-10T09:00:00Z', { users: ['cleo'], quarter: false });
    await at('2026-05-10T10:00:00Z', { users: ['dan'] });
    const rows = await days('Europe/Berlin', '2026-05-09T12:00:00Z', '2026-05-10T12:00:00Z');
    expect(rows.map(({ uniqueUsers, usersOfUtcDay }) => [uniqueUsers, usersOfUtcDay])).toEqual([
      [2, true],
      [2, true],
    ]);
    const inUtc = await days('UTC', '2026-05-09T12:00:00Z', '2026-05-10T12:00:00Z');
    expect(inUtc.map(({ uniqueUsers, usersOfUtcDay }) => [uniqueUsers, usersOfUtcDay])).toEqual([
      [2, false],
      [2, false],
    ]);
  });
});

describe('the present', () => {
  it('is the day and the month of the zone', async () => {
    await at('2026-04-30T21:59:00Z', { users: ['april'] });
    await at('2026-04-30T22:00:00Z', { users: ['may'] });
    await at('2026-05-20T21:59:00Z', { users: ['yesterday', 'may'] });
    await at('2026-05-20T22:00:00Z', { users: ['today'] });
    const nowMs = Date.parse('2026-05-21T08:00:00Z');
    expect(await uniqueUsersNow(store.usage, ORG, nowMs, 'Europe/Berlin')).toEqual({
      today: 1,
      thisMonth: 3,
    });
  });
});

describe('hours', () => {
  it('are those of the zone’s clocks, also half an hour from UTC, and add up to the days', async () => {
    for (let ms = Date.parse('2026-05-09T00:00:00Z'); ms < Date.parse('2026-05-11T12:00:00Z'); ms += 900_000)
      await at(new Date(ms).toISOString());
    const span = { fromMs: Date.parse('2026-05-09T18:30:00Z'), untilMs: Date.parse('2026-05-10T18:30:00Z') };
    const hours = await usageByHour(store.usage, ORG, { ...span, timeZone: 'Asia/Kolkata' });
    expect(hours.map(({ granted }) => granted)).toEqual(Array.from({ length: 24 }, () => 4));
    expect(new Date(hours[0]?.startMs ?? 0).toISOString()).toBe('2026-05-09T18:30:00.000Z');
    const [day] = await days('Asia/Kolkata', '2026-05-10T00:00:00Z', '2026-05-10T00:00:01Z');
    expect(day?.granted).toBe(96);
  });

  it('follow without a gap where clocks change by half an hour', async () => {
    const span = { fromMs: Date.parse('2026-04-04T12:00:00Z'), untilMs: Date.parse('2026-04-04T18:00:00Z') };
    const hours = await usageByHour(store.usage, ORG, { ...span, timeZone: 'Australia/Lord_Howe' });
    const lengths = hours.map(({ startMs, endMs }) => (endMs - startMs) / 60_000);
    expect(lengths).toEqual([60, 60, 60, 30, 60, 60, 60]);
    for (const [index, { startMs }] of hours.entries())
      expect(startMs).toBe(hours[index - 1]?.endMs ?? startMs);
  });
});
