import { expect, it } from 'vitest';
import type { Result } from '../../src/kit/runner.js';
import { judge, programOf } from './judge.js';

// Both at the same time: their checks wait for most of theirs.
const library = judge(programOf('typescript-program.mjs'), {
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
