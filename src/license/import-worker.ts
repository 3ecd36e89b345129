import { parentPort, workerData } from 'node:worker_threads';
import type { Fault } from './faults.js';
import { type ImportLine, ImportReading, type ImportRules } from './read-import.js';

/** What the thread is given. The bytes are shared with whoever began it. */
export interface ImportOrder {
  readonly bytes: Uint8Array;
  readonly rules: ImportRules;
}

/** What the thread answers when it is asked for more: some lines, or how the reading ended. */
export type ImportAnswer =
  | { readonly lines: readonly ImportLine[] }
  | { readonly faults: readonly Fault[]; readonly warnings: readonly Fault[] };

const BATCH = 200;

/** The thread that reads a file: one batch for each time it is asked, and from the beginning again after the end. */
async function* answers({ bytes, rules }: ImportOrder): AsyncGenerator<ImportAnswer> {
  for (;;) {
    const reading = new ImportReading(rules);
    let lines: ImportLine[] = [];
    for await (const line of reading.lines(bytes)) {
      lines.push(line);
      if (lines.length < BATCH) continue;
      yield { lines };
      lines = [];
    }
    if (lines.length > 0) yield { lines };
    yield { faults: reading.faults.all, warnings: reading.warnings.all };
  }
}

const source = answers(workerData);
parentPort?.on('message', async () => {
  const { value } = await source.next();
  parentPort?.postMessage(value);
});
