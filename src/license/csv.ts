import { setImmediate } from 'node:timers/promises';

/** A record of a CSV text. */
export interface CsvRecord {
  /** The line on which it begins, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** The text is not CSV; `line` is where the trouble begins. */
export class BadCsv extends Error {
  constructor(
    readonly line: number,
    problem: string,
  ) {
    super(problem);
  }
}

/** What a spreadsheet would run as a formula, also where it was made harmless before. */
const formula = /^'*[=+\-@\t\r]/;

/** Makes text that a spreadsheet would run harmless, by a quote before it. */
export function withoutFormula(text: string): string {
  return formula.test(text) ? `'${text}` : text;
}

/** The text as it was before `withoutFormula`. */
export function withFormula(text: string): string {
  return text.startsWith("'") && formula.test(text) ? text.slice(1) : text;
}

/** A cell and what ends it. Cells are bounded, and so is what the expression has to remember. */
const cellForm = /("(?:[^"]|""){0,4096}"|[^",\r\n]{0,4096})(,|\r\n|\n|\r|$)/y;

/** Of a record with more cells so many are kept: enough to see that it is none of ours. */
const CELLS_KEPT = 64;
/** Characters after which other work of the process has its turn: the largest files take seconds. */
const TURN_CHARACTERS = 16 * 1024;

/** Reads CSV as RFC 4180 has it, a little at a time; empty lines are left out. Throws BadCsv. */
export async function* readCsv(text: string): AsyncGenerator<CsvRecord> {
  const form = new RegExp(cellForm);
  form.lastIndex = text.startsWith('\ufeff') ? 1 : 0;
  let line = 1;
  let begins = 1;
  let cells: string[] = [];
  for (let turnEnds = TURN_CHARACTERS; form.lastIndex < text.length || cells.length > 0; ) {
    const match = form.exec(text);
    if (match === null) throw new BadCsv(line, 'a quote is out of place, or a cell is too long');
    if (form.lastIndex > turnEnds) {
      turnEnds = form.lastIndex + TURN_CHARACTERS;
      await setImmediate();
    }
    const [, raw = '', end = ''] = match;
    if (cells.length < CELLS_KEPT)
      cells.push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw);
    line += raw.split('\n').length - 1;
    if (end === ',') continue;
    if (cells.length > 1 || cells[0] !== '') yield { line: begins, cells };
    cells = [];
    line += 1;
    begins = line;
  }
}
