import type { Result } from '../../src/kit/runner.js';

/** A sentence for each check that the client did not pass, or that did not run. */
export function findings(results: readonly Result[]): string[] {
  return results
    .filter(({ verdict }) => verdict !== 'passed')
    .map(({ check, verdict, finding }) => `${check.id} ${verdict}: ${finding}`);
}
