import { describe, expect, it } from 'vitest';
import { checks } from '../../src/kit/checks/table.js';
import type { Result } from '../../src/kit/runner.js';
import { faults } from './faults.js';
import { judge, programOf } from './judge.js';

const JOBS = 24;
/** For clients that do not what they should: long enough for a process to start beside many others. */
const PATIENCE_MS = 6_000;

const results = judgeAll();

describe('the kit catches a client that is wrong', () => {
  it.each(faults)('by --fault %s, in the check %s', async (fault, id, finding) => {
    const result = (await results).get(`${fault} ${id}`);
    expect(result?.verdict, result?.finding ?? 'it passed').toBe('failed');
    expect(result?.finding).toMatch(finding);
  });

  it('in each of its checks', () => {
    const caught = new Set(faults.map(([, id]) => id));
    expect(checks.map(({ id }) => id).filter((id) => !caught.has(id))).toEqual([]);
  });
});

/** All side by side: each waits for most of its time. */
async function judgeAll(): Promise<ReadonlyMap<string, Result>> {
  const found = new Map<string, Result>();
  const rows = [...faults].sort(([, a], [, b]) => Number(isLong(b)) - Number(isLong(a)));
  // Its waits are compared by the millisecond: it has the machine for itself.
  const isAlone = ([, id]: (typeof faults)[number]) => id === 'jitter';
  await judgeInTurn(rows.filter(isAlone), found);
  const queue = rows.filter((row) => !isAlone(row));
  await Promise.all(Array.from({ length: JOBS }, () => judgeInTurn(queue, found)));
  return found;
}

async function judgeInTurn(queue: (typeof faults)[number][], found: Map<string, Result>): Promise<void> {
  for (let row = queue.shift(); row !== undefined; row = queue.shift()) {
    const [fault, id] = row;
    const [result] = await judge(programOf('wrong-client.mjs', '--fault', fault), {
      chosen: checks.filter((check) => check.id === id),
      patienceMs: PATIENCE_MS,
    });
    if (result !== undefined) found.set(`${fault} ${id}`, result);
  }
}

function isLong(id: string): boolean {
  return checks.find((check) => check.id === id)?.isLong === true;
}
