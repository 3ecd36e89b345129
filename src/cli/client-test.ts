import type { Check } from '../kit/check.js';
import { checks } from '../kit/checks/table.js';
import { protocolRules } from '../kit/rules.js';
import { type Result, runChecks } from '../kit/runner.js';
import type { Hidden } from '../kit/stage.js';
import { countsOf, jsonReport, listing, report } from './client-test-report.js';
import { CommandFailure, exitCodes } from './failure.js';

export interface ClientTestOptions {
  readonly json?: boolean;
  readonly list?: boolean;
  readonly only?: readonly string[];
  readonly hides?: readonly Hidden[];
  readonly timeout: number;
  readonly jobs: number;
}

/** `soleseat client-test`: judges a client in any language by what it does on the wire. Ends with 1 where a check failed. */
export async function clientTest(command: readonly string[], options: ClientTestOptions): Promise<void> {
  const chosen = choose(options.only);
  if (options.list) {
    console.log(listing(chosen, protocolRules(), options));
    return;
  }
  const [file, ...args] = command;
  if (file === undefined)
    throw new CommandFailure('name the client behind two dashes: client-test -- COMMAND…', exitCodes.usage);
  const stop = new AbortController();
  process.once('SIGINT', () => interrupt(stop));
  process.once('SIGTERM', () => interrupt(stop));
  const startedMs = performance.now();
  const progress = new Progress(chosen.length);
  const results = await runChecks(chosen, {
    command: { file, args },
    patienceMs: options.timeout * 1_000,
    hides: options.hides ?? [],
    jobs: options.jobs,
    again: true,
    onResult: (result) => progress.add(result),
    signal: stop.signal,
  }).finally(() => stop.abort());
  progress.end();
  const ms = performance.now() - startedMs;
  const rules = protocolRules();
  console.log(options.json ? jsonReport(results, rules, ms) : report(results, rules, ms));
  process.exitCode = countsOf(results).failed === 0 ? exitCodes.ok : exitCodes.failed;
}

function choose(only: readonly string[] | undefined): readonly Check[] {
  if (only === undefined) return checks;
  const unknown = only.filter((id) => !checks.some((check) => check.id === id));
  if (unknown.length > 0)
    throw new CommandFailure(
      `there is no check ${unknown.join(', ')} (--list shows them all)`,
      exitCodes.usage,
    );
  return checks.filter(({ id }) => only.includes(id));
}

/** What was started ends with the command: the programs have process groups of their own. */
function interrupt(stop: AbortController): void {
  stop.abort();
  process.exit(exitCodes.interrupted);
}

/** One line on a terminal, drawn over and over. */
class Progress {
  private readonly isShown = process.stderr.isTTY === true;
  private done = 0;
  private failed = 0;

  constructor(private readonly total: number) {
    this.draw();
  }

  add({ verdict }: Result): void {
    this.done++;
    if (verdict === 'failed') this.failed++;
    this.draw();
  }

  end(): void {
    if (this.isShown) process.stderr.write('\r\x1b[K');
  }

  private draw(): void {
    if (!this.isShown) return;
    const failed = this.failed === 0 ? '' : `, ${this.failed} failed`;
    process.stderr.write(`\r\x1b[K${this.done} of ${this.total} checks done${failed}`);
  }
}
