import type { ImportSource } from '../../src/license/import-file.js';
import { type ImportLine, ImportReading, type ImportRules } from '../../src/license/read-import.js';

/** What a file says, read here instead of in a thread. */
export async function readWhole(file: string | Buffer, rules: Partial<ImportRules> = {}) {
  const usual = { nowMs: Date.now(), timeZone: 'UTC', ignoresCase: false, maxLines: 500_000 };
  const reading = new ImportReading({ ...usual, ...rules });
  const lines: ImportLine[] = [];
  for await (const line of reading.lines(Buffer.from(file as string))) lines.push(line);
  return { lines, faults: reading.faults, warnings: reading.warnings };
}

/** A file of one line for each of these users. */
export function fileOf(users: readonly string[]): { readonly file: ImportSource; readonly total: number } {
  const lines = users.map((user, index) => ({ line: index + 2, user }));
  return {
    total: lines.length,
    file: {
      batches: async function* () {
        for (let from = 0; from < lines.length; from += 200) yield lines.slice(from, from + 200);
      },
    },
  };
}
