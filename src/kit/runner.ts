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
  /** 2 where it passed only when it was run again. */
  readonly tries: 1 | 2;
  readonly transcript: readonly Entry[];
}

export interface RunOptions extends StageOptions {
  /** How many checks run side by side. */
  readonly jobs: number;
  readonly onResult: (result: Result) => void;
  /** Whether a check that failed is run once more, away from the others: the machine may have been too slow. */
  readonly again: boolean;
  /** Ends what was started. The results are of no use then. */
  readonly signal: AbortSignal;
}

/** A client that fails in more checks than this is wrong, however slow the machine is. */
const MOST_AGAIN = 6;
const JOBS_AGAIN = 2;

/** Runs the checks side by side, and gives their results in the order of the checks. */
export async function runChecks(checks: readonly Check[], options: RunOptions): Promise<Result[]> {
  const results = await runOnce(checks, options);
  const failed = results.filter(({ verdict }) => verdict === 'failed').map(({ check }) => check);
  if (!options.again || failed.length > MOST_AGAIN) return results;
  const again = await runOnce(failed, { ...options, jobs: JOBS_AGAIN, onResult: () => {} });
  const mended = again.filter(({ verdict }) => verdict === 'passed');
  return results.map((first) => {
    const second = mended.find(({ check }) => check === first.check);
    return second === undefined ? first : { ...second, tries: 2 };
  });
}

async function runOnce(checks: readonly Check[], options: RunOptions): Promise<Result[]> {
  const results = new Map<Check, Result>();
  const queue = [...checks].sort((a, b) => Number(b.isLong ?? false) - Number(a.isLong ?? false));
  const stages = new Set<Stage>();
  options.signal.addEventListener('abort', () => {
    for (const stage of stages) stage.end();
  });
  const worker = async () => {
    for (let check = queue.shift(); check !== undefined; check = queue.shift()) {
      const stage = new Stage(options);
      stages.add(stage);
      const result = await runCheck(check, stage);
      stages.delete(stage);
      results.set(check, result);
      options.onResult(result);
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, worker));
  return checks.flatMap((check) => results.get(check) ?? []);
}

async function runCheck(check: Check, stage: Stage): Promise<Result> {
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
    stage.end();
  }
  return {
    check,
    verdict,
    finding,
    ms: performance.now() - startedMs,
    tries: 1,
    transcript: stage.transcript.entries,
  };
}
