import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Check } from '../../src/kit/check.js';
import { checks } from '../../src/kit/checks/table.js';
import type { Command } from '../../src/kit/program.js';
import { type Result, type RunOptions, runChecks } from '../../src/kit/runner.js';
import { isAll } from '../support/scope.js';

// Written by the set-up of `npm test`: the check `sleep` compiles a small library.
const compilerFile = join(import.meta.dirname, '..', '..', '.soleseat', 'compiler.json');
process.env.CC ??= JSON.parse(readFileSync(compilerFile, 'utf8')).path;

/** For libraries whose programs take long to start: `npm test` goes through every second check, `npm run test:all` through all. */
export const checksHere = isAll ? checks : checks.filter((_, index) => index % 2 === 0);

/** A program of this folder, run by Node. */
export function programOf(name: string, ...args: readonly string[]): Command {
  return { file: process.execPath, args: [join(import.meta.dirname, name), ...args] };
}

export function judge(
  command: Command,
  { chosen = checks, ...options }: { chosen?: readonly Check[] } & Partial<RunOptions>,
): Promise<Result[]> {
  return runChecks(chosen, {
    command,
    patienceMs: 15_000,
    hides: [],
    jobs: 1,
    again: false,
    onResult: () => {},
    signal: new AbortController().signal,
    ...options,
  });
}
