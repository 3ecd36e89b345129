import { describe, expect, it } from 'vitest';
import { checks } from '../../src/kit/checks/table.js';
import type { Result } from '../../src/kit/runner.js';
import { casesOf } from '../support/scope.js';
import { faults } from './faults.js';
import { judge, programOf } from './judge.js';

type Row = (typeof faults)[number];

const JOBS = 20;
const ROUNDS = 4;
/** For clients that do not what they should: long enough for a process to start beside many others. */
const PATIENCE_MS = 6_000;

/** Each is a process of its own: `npm test` judges those of every third check. */
const standing = new Set(checks.filter((_, index) => index % 3 === 0).map(({ id }) => id));
const chosen = casesOf(faults, ([, id]) => standing.has(id));

const results = judgeAll();

describe('the kit catches a client that is wrong', () => {
  it.each(chosen)('by --fault %s, in the check %s', async (fault, id, finding) => {
    const result = (await results).get(nameOf([fault, id, finding]));
    expect(result?.verdict, result?.finding ?? 'it passed').toBe('failed');
    expect(result?.finding).toMatch(finding);
  });

  it('in each of its checks', () => {
    const caught = new Set(faults.map(([, id]) => id));
    expect(checks.map(({ id }) => id).filter((id) => !caught.has(id))).toEqual([]);
  });
});

/**
 * All side by side: each waits for most of its time. On a busy machine waits become longer, and a client that comes too early
 * may pass: the kit would rather miss one than blame a right one. So those that passed are judged again, one at a time.
 */
async function judgeAll(): Promise<ReadonlyMap<string, Result>> {
  const found = new Map<string, Result>();
  const queue = [...chosen].sort(([, a], [, b]) => Number(isLong(b)) - Number(isLong(a)));
  await Promise.all(Array.from({ length: JOBS }, () => judgeInTurn(queue, found)));
  for (let round = 0; round < ROUNDS; round++)
    await judgeInTurn(
      chosen.filter((row) => found.get(nameOf(row))?.verdict === 'passed'),
      found,
    );
  return found;
}

async function judgeInTurn(rows: Row[], found: Map<string, Result>): Promise<void> {
  for (let row = rows.shift(); row !== undefined; row = rows.shift()) {
    const [fault, id] = row;
    const [result] = await judge(programOf('wrong-client.mjs', '--fault', fault), {
      chosen: checks.filter((check) => check.id === id),
      patienceMs: PATIENCE_MS,
    });
    if (result !== undefined) found.set(nameOf(row), result);
  }
}

function nameOf([fault, id]: Row): string {
  return `${fault} ${id}`;
}

function isLong(id: string): boolean {
  return checks.find((check) => check.id === id)?.isLong === true;
}
