import { expect, it } from 'vitest';
import { checks } from '../../src/kit/checks/table.js';
import type { Result } from '../../src/kit/runner.js';
import { judge, programOf } from './judge.js';

/** What the library does not keep yet. Whoever mends one takes it off this list. */
const notYet = [
  'retry-after-void',
  'handshake-400',
  'handshake-403',
  'handshake-404',
  'handshake-503',
  'handshake-429',
  'token-hangs',
  'retry',
  'retry-waiting',
];

// Both at the same time: their checks wait for most of theirs.
const library = judge(programOf('typescript-program.mjs'), {
  chosen: checks.filter(({ id }) => !notYet.includes(id)),
  jobs: 12,
  again: true,
});
const other = judge(programOf('wrong-client.mjs'), { jobs: 12, again: true });

it('the library passes', async () => {
  expect(findings(await library)).toEqual([]);
});

it('a client by another author passes, as long as it makes no mistake', async () => {
  expect(findings(await other)).toEqual([]);
});

function findings(results: readonly Result[]): string[] {
  return results
    .filter(({ verdict }) => verdict !== 'passed')
    .map(({ check, verdict, finding }) => `${check.id} ${verdict}: ${finding}`);
}
