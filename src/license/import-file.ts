import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { Faults } from './faults.js';
import type { ImportAnswer, ImportOrder } from './import-worker.js';
import type { ImportLine, ImportRules } from './read-import.js';

/** The lines of an import, from its first one on, each time they are asked for. */
export interface ImportSource {
  /** `faults`, `warnings`: where to note what is wrong with the other lines, and what is odd. */
  batches(notes?: Notes): AsyncIterable<readonly ImportLine[]>;
}

export interface Notes {
  readonly faults: Faults;
  readonly warnings: Faults;
}

/** The file takes more memory than its thread may have. */
export class FileTooLarge extends Error {}

/** Beside the file itself: the names of half a million users, and a record as long as one may be. */
const HEAP_MB = 256;
/** Named by package.json, as the thread runs what was built, whatever this file runs as. */
const program = createRequire(import.meta.url).resolve('#worker/import');

/**
 * A file that was uploaded. A thread of its own reads it, twice where it is read twice, and keeps no line: so no file can
 * take more than its share of this process's memory, or keep its event loop from other work. `close` ends the thread.
 */
export class ImportFile implements ImportSource {
  readonly #worker: Worker;
  /** Rejects when the thread has failed. */
  readonly #failed: Promise<never>;

  constructor(bytes: Uint8Array, rules: ImportRules) {
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
    shared.set(bytes);
    const order: ImportOrder = { bytes: shared, rules };
    const resourceLimits = { maxOldGenerationSizeMb: HEAP_MB };
    this.#worker = new Worker(program, { workerData: order, resourceLimits });
    this.#failed = new Promise((_, reject) => {
      this.#worker.once('error', reject);
      this.#worker.once('exit', (code) => reject(new Error(`the thread of an import ended with ${code}`)));
    });
    // Heard by whoever waits for an answer.
    this.#failed.catch(() => {});
  }

  async *batches(notes?: Notes): AsyncGenerator<readonly ImportLine[]> {
    for (;;) {
      const answer = await this.#next();
      if ('lines' in answer) yield answer.lines;
      else {
        notes?.faults.addAll(answer.faults);
        notes?.warnings.addAll(answer.warnings);
        return;
      }
    }
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  async #next(): Promise<ImportAnswer> {
    const answered = new Promise<ImportAnswer>((resolve) => this.#worker.once('message', resolve));
    this.#worker.postMessage('next');
    try {
      return await Promise.race([answered, this.#failed]);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_OUT_OF_MEMORY') throw error;
      throw new FileTooLarge('the file takes more memory than an import may have', { cause: error });
    }
  }
}
