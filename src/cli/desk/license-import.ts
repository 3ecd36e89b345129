import { readFileSync } from 'node:fs';
import { SingleBar } from 'cli-progress';
import { CommandFailure, exitCodes } from '../failure.js';
import type { Desk } from './desk.js';
import { faultText, type LineFaults } from './refusal.js';

type ImportLine =
  | { readonly type: 'progress'; readonly done: number; readonly total: number }
  | { readonly type: 'done'; readonly issued: number; readonly warnings?: readonly LineFaults[] }
  | {
      readonly type: 'failed';
      readonly code: string;
      readonly lines: readonly { readonly line: number; readonly problem: string }[];
      readonly isUndone: boolean;
    };

/** `soleseat license import`: a progress bar, then what came of it. */
export async function importFile(desk: Desk, file: string): Promise<void> {
  const response = await desk.api.open('POST', desk.orgPath('license-import'), {
    text: { type: 'text/csv', body: readInput(file) },
    isSlow: true,
  });
  const bar = new SingleBar({
    stream: process.stderr,
    format: '{bar} {value}/{total} licenses',
    hideCursor: true,
  });
  let isDrawn = false;
  let last: ImportLine | null = null;
  try {
    for await (const text of desk.api.lines(response)) {
      if (text.trim() === '') continue;
      last = JSON.parse(text) as ImportLine;
      if (last.type !== 'progress' || desk.isJson || !process.stderr.isTTY) continue;
      if (!isDrawn) bar.start(last.total, last.done);
      isDrawn = true;
      bar.update(last.done);
    }
  } catch {
    // Broken off: like an answer that ends before it has told the outcome.
    last = null;
  }
  if (isDrawn) bar.stop();
  if (last?.type === 'done') {
    for (const warning of last.warnings ?? []) console.error(`note:${faultText(warning)}`);
    return desk.say(`Issued ${last.issued} licenses`, last);
  }
  throw importFailure(last, desk.org ?? '');
}

function importFailure(last: ImportLine | null, org: string): CommandFailure {
  if (last?.type !== 'failed') {
    const lost =
      'the answer ended half-way: the import goes on, or what was issued is taken back. `soleseat events tail` tells which.';
    return new CommandFailure(`org ${org}: ${lost}`, exitCodes.unavailable, { org });
  }
  const lines = last.lines.map(({ line, problem }) => `  line ${line}: ${problem}`);
  const undone = last.isUndone
    ? 'Nothing was imported.'
    : 'What was issued is taken back as soon as that can be done.';
  const { code, isUndone } = last;
  const sentence = [`org ${org}: the import failed: ${code}. ${undone}`, ...lines].join('\n');
  return new CommandFailure(sentence, exitCodeOf(code), { code, org, isUndone, lines: last.lines });
}

function exitCodeOf(code: string): number {
  if (code === 'store_unavailable') return exitCodes.unavailable;
  return code === 'internal' ? exitCodes.failed : exitCodes.refused;
}

function readInput(file: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(file === '-' ? 0 : file));
  } catch {
    throw new CommandFailure(`${file} is missing or cannot be read`, exitCodes.usage);
  }
}
