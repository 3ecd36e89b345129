import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { recorded, toolsFolder } from './tools.mjs';

const FOLDER = 'matrix';

/** What each file gave with each version when it last ran: a run of some rows or files keeps what others gave before. */
export class MatrixResults {
  of(kind, row) {
    return this.#rows()[nameOf(kind, row)] ?? null;
  }

  /** `files` is a map of what each of them gave. What another version gave does not count any more. */
  keep(kind, row, { version, missing = null, files = {} }) {
    const before = this.of(kind, row);
    const same = before?.version === version ? before.files : {};
    // Read anew each time: another run may have kept something meanwhile.
    const rows = this.#rows();
    rows[nameOf(kind, row)] = { version, missing, files: { ...same, ...files } };
    mkdirSync(join(toolsFolder, FOLDER), { recursive: true });
    writeFileSync(join(toolsFolder, FOLDER, 'results.json'), `${JSON.stringify(rows, null, 2)}\n`);
  }

  /** row → { version, missing, files: file → { passed, failures, date } } */
  #rows() {
    return recorded(join(FOLDER, 'results')) ?? {};
  }
}

function nameOf(kind, { name, suite }) {
  return `${kind} ${name} ${suite ?? 'here'}`;
}
