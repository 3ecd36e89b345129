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

/** Runs the checks side by side, and gives their results in the order of the checks. */
export async function runChecks(checks: readonly Check[], options: RunOptions): Promise<Result[]> {
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
  return { check, verdict, finding, ms: performance.now() - startedMs, transcript: stage.transcript.entries };
}
