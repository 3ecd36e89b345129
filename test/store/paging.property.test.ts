import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/base/metrics.js';
import { keyNames } from '../../src/store/keys.js';
import { BadCursor, cursorOf, pageByScore } from '../../src/store/paging.js';
import { Scripts } from '../../src/store/scripts.js';
import { useRedis } from '../support/redis.js';

const KEY = 'soleseat:{acme}:licensed';
const MS = 1_795_502_125_123;
const redis = useRedis();
let scripts: Scripts;

beforeAll(() => {
  scripts = new Scripts(redis.client, createMetrics(), keyNames('soleseat:'));
});
beforeEach(() => redis.client.flushall());

const pageOf = (cursor: string | null, limit: number, untilScore?: number, isBackward = false) =>
  pageByScore(scripts, { org: 'acme', key: KEY }, { cursor, limit, untilScore, isBackward });

/** Few scores and few letters, so that most members share a score and a beginning. */
const scores = fc.constantFrom(-1, 0, 0.5, MS, MS + 1, MS * 1000, MS * 1000 + 1);
// As UTF-16 the face comes before the others of its line, as bytes it comes after them.
const letters = fc.constantFrom(
  'a',
  'B',
  'b',
  '0',
  '10',
  '9',
  '-',
  ' ',
  'é',
  'ß',
  '｡',
  '😀',
  '\uffff',
  '%',
  '"',
);
const members = fc.array(letters, { minLength: 1, maxLength: 4 }).map((some) => some.join(''));
const lists = fc.uniqueArray(fc.record({ member: members, score: scores }), {
  selector: ({ member }) => member,
  minLength: 1,
  maxLength: 60,
});
/** Between two pages: which of the members seen last leave, which others leave, who comes. */
const turns = fc.array(
  fc.record({
    leavesLastSeen: fc.boolean(),
    leaving: fc.array(fc.nat(59), { maxLength: 4 }),
    coming: fc.array(fc.record({ member: members.map((one) => `+${one}`), score: scores }), { maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 6 },
);

/** Redis's order, by its documentation: by score, then by bytes. */
const inOrder = (list: readonly { member: string; score: number }[]) =>
  list.toSorted((a, b) => a.score - b.score || Buffer.compare(Buffer.from(a.member), Buffer.from(b.member)));

describe('pages of a sorted set', () => {
  it.each([
    ['in order', false],
    ['from the end', true],
  ])('give every member that stays once, %s, whoever leaves or comes between them', async (_, isBackward) => {
    await fc.assert(
      fc.asyncProperty(lists, turns, fc.integer({ min: 1, max: 7 }), async (list, changes, limit) => {
        await redis.client.del(KEY);
        await redis.client.zadd(KEY, ...list.flatMap(({ member, score }) => [score, member]));
        const [seen, gone, come] = [[] as string[], new Set<string>(), new Set<string>()];
        let cursor: string | null = null;
        for (let turn = 0; turn === 0 || cursor !== null; turn++) {
          const page = await pageOf(cursor, limit, undefined, isBackward);
          seen.push(...page.items.map(({ member }) => member));
          cursor = page.next;
          const change = changes[turn % changes.length];
          if (change === undefined) continue;
          const left = change.leaving.map((index) => list[index]?.member ?? 'nobody');
          const lastSeen = page.items.at(-1)?.member;
          if (change.leavesLastSeen && lastSeen !== undefined) left.push(lastSeen);
          await redis.client.zrem(KEY, 'nobody', ...left);
          for (const member of left) gone.add(member);
          if (turn >= changes.length) continue;
          for (const { member, score } of change.coming) {
            if (come.has(member)) continue;
            come.add(member);
            await redis.client.zadd(KEY, score, member);
          }
        }
        const stayed = inOrder(list.filter(({ member }) => !gone.has(member))).map(({ member }) => member);
        expect(seen.filter((member) => !gone.has(member) && !come.has(member))).toEqual(
          isBackward ? stayed.reverse() : stayed,
        );
        expect(new Set(seen).size).toBe(seen.length);
      }),
      { numRuns: 300 },
    );
  });

  it('go on exactly within thousands of one score, in few steps, though each last member leaves', async () => {
    const all = Array.from({ length: 5_000 }, (_, i) => `user-${i}`);
    await redis.client.zadd(KEY, ...all.flatMap((member) => [MS, member]), MS - 1, 'first', MS + 1, 'last');
    await redis.client.config('RESETSTAT');
    const seen: string[] = [];
    let pages = 0;
    for (let cursor: string | null = null; pages === 0 || cursor !== null; pages++) {
      const page = await pageOf(cursor, 100);
      seen.push(...page.items.map(({ member }) => member));
      cursor = page.next;
      await redis.client.zrem(KEY, seen.at(-1) ?? '');
    }
    expect(seen).toEqual(['first', ...all.toSorted(), 'last']);
    // Two to the thirteenth is more than 5,000: a look at each half, and then the page.
    const calls = /cmdstat_zrange:calls=(\d+)/.exec(await redis.client.info('commandstats'))?.[1];
    expect(Number(calls)).toBeLessThanOrEqual(pages * 14);
  });

  it('end below the score that is named, and say whether there is more', async () => {
    await redis.client.zadd(KEY, 1, 'a', 1, 'b', 2, 'c', 3, 'd');
    const first = await pageOf(null, 2, 3);
    expect(first.items).toEqual([
      { member: 'a', score: 1 },
      { member: 'b', score: 1 },
    ]);
    expect(await pageOf(first.next, 2, 3)).toEqual({ items: [{ member: 'c', score: 2 }], next: null });
    expect((await pageOf(first.next, 2)).items.map(({ member }) => member)).toEqual(['c', 'd']);
  });

  it.each([[['1', 'a']], [[1]], [[1, 2]], [[1, 'a', 'b']], [[]]])('refuse the place %j', async (place) => {
    await expect(pageOf(cursorOf(place as string[]), 2)).rejects.toBeInstanceOf(BadCursor);
  });
});
