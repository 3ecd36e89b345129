import { expect, it } from 'vitest';
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
const library = judge(programOf('typescript-program.mjs'), { jobs: 12 });
const other = judge(programOf('wrong-client.mjs'), { jobs: 12 });

it('the library passes', async () => {
  const results = await library;
  expect(findings(results.filter(({ check }) => !notYet.includes(check.id)))).toEqual([]);
  expect(results.filter(({ verdict }) => verdict === 'failed').map(({ check }) => check.id)).toEqual(notYet);
});

it('a client by another author passes, as long as it makes no mistake', async () => {
  expect(findings(await other)).toEqual([]);
});

function findings(results: readonly Result[]): string[] {
  return results
    .filter(({ verdict }) => verdict !== 'passed')
    .map(({ check, verdict, finding }) => `${check.id} ${verdict}: ${finding}`);
}
