import type { Check } from './check.js';
import { Finding, NotRun } from './finding.js';
import { Stage, type StageOptions } from './stage.js';
import type { Entry } from './transcript.js';

export type Verdict = 'passed' | 'failed' | 'not run';

export interface Result {
  readonly check: Check;
  readonly verdict: Verdict;
  /** What was found, or why it did not run; null where it passed. */
  readonly finding: string | null;
  readonly ms: number;
  readonly transcript: readonly Entry[];
}

export interface RunOptions extends StageOptions {
  /** How many checks run side by side. */
  readonly jobs: number;
  readonly onResult: (result: Result) => void;
  /** Ends what was started. The results are of no use then. */
  readonly signal: AbortSignal;
}

/** Runs the checks side by side, in their order, and gives their results in the same order. */
export async function runChecks(checks: readonly Check[], options: RunOptions): Promise<Result[]> {
  const results = new Map<Check, Result>();
  const queue = [...checks];
  const worker = async () => {
    for (let check = queue.shift(); check !== undefined; check = queue.shift()) {
      const result = await runCheck(check, options);
      results.set(check, result);
      options.onResult(result);
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, worker));
  return checks.flatMap((check) => results.get(check) ?? []);
}

async function runCheck(check: Check, options: RunOptions): Promise<Result> {
  const stage = new Stage(options);
  const end = () => stage.end();
  options.signal.addEventListener('abort', end);
  const startedMs = performance.now();
  let verdict: Verdict = 'passed';
  let finding: string | null = null;
  try {
    await stage.open();
    await check.run(stage);
  } catch (fault) {
    if (!(fault instanceof Finding || fault instanceof NotRun)) throw fault;
    verdict = fault instanceof NotRun ? 'not run' : 'failed';
    finding = fault.message;
  } finally {
    options.signal.removeEventListener('abort', end);
    end();
  }
  return { check, verdict, finding, ms: performance.now() - startedMs, transcript: stage.transcript.entries };
}
