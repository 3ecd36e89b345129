import { caseFolded, foldedName, isPlainText, nameFault, nameOf } from '../protocol/text.js';
import { BadCsv, type CsvRecord, readCsv, withFormula } from './csv.js';
import { readEnd } from './end.js';
import { Faults } from './faults.js';

/** One license to issue. */
export interface ImportLine {
  /** The line of the file, from 1. */
  readonly line: number;
  readonly user: string;
  /** Unix ms. */
  readonly expiresAt?: number;
  /** The day that the end was given as. */
  readonly expiresOn?: string;
  readonly note?: string;
}

export interface LineFault {
  readonly line: number;
  readonly problem: string;
}

/** What the columns are called; case, blanks and what joins words do not matter. */
const columnNames: ReadonlyMap<string, Column> = new Map([
  ['user', 'user'],
  ['expiresat', 'expiresAt'],
  ['expires', 'expiresAt'],
  ['expireson', 'expiresOn'],
  ['note', 'note'],
]);
type Column = 'user' | 'expiresAt' | 'expiresOn' | 'note';
type Header = ReadonlyMap<Column, number>;

/**
 * Reads the file: `user`, and if wanted `expiresAt` (or `expiresOn`) and `note`, named by a header line, in any order and
 * among others. Days are of the org's time zone.
 */
export async function readImport(
  text: string,
  rules: { readonly nowMs: number; readonly timeZone: string; readonly ignoresCase?: boolean },
): Promise<{ readonly lines: readonly ImportLine[]; readonly faults: Faults; readonly warnings: Faults }> {
  const { nowMs, timeZone, ignoresCase = false } = rules;
  const userOf = (name: string) => (ignoresCase ? caseFolded(name) : name);
  const lines: ImportLine[] = [];
  const faults = new Faults();
  const warnings = new Faults();
  const seen = new Set<string>();
  const folded = new Set<string>();
  let header: Header | null = null;
  let width = 0;
  try {
    for await (const record of readCsv(text)) {
      if (header === null) {
        const read = readHeader(record.cells);
        if (typeof read === 'string') {
          faults.add(record.line, read);
          return { lines, faults, warnings };
        }
        header = read;
        width = record.cells.length;
        continue;
      }
      const read = readLine(record, header, width, timeZone);
      const problem =
        typeof read === 'string'
          ? read
          : seen.has(userOf(read.user))
            ? 'the user stands on an earlier line too'
            : read.expiresAt !== undefined && read.expiresAt <= nowMs
              ? 'the end is in the past'
              : null;
      if (typeof read !== 'string') seen.add(userOf(read.user));
      if (problem !== null) faults.add(record.line, problem);
      else if (typeof read !== 'string') {
        const alike = foldedName(read.user);
        if (folded.has(alike))
          warnings.add(record.line, 'another user of the file has the same name in other letters');
        folded.add(alike);
        lines.push(read);
      }
    }
  } catch (error) {
    if (!(error instanceof BadCsv)) throw error;
    faults.add(error.line, error.message);
  }
  if (lines.length === 0 && faults.count === 0) faults.add(1, 'there is no license to issue');
  return { lines, faults, warnings };
}

/** Where the columns stand; or what is wrong with the header. */
function readHeader(cells: readonly string[]): Header | string {
  const found = new Map<Column, number>();
  for (const [index, cell] of cells.entries()) {
    const column = columnNames.get(cell.toLowerCase().replaceAll(/[^a-z]/g, ''));
    if (column === undefined) continue;
    if (found.has(column)) return `the column ${column} is there twice`;
    found.set(column, index);
  }
  if (found.has('user')) return found;
  return 'the first line must name the columns: user, and if wanted expiresAt and note';
}

/** A line; or what is wrong with it. */
function readLine(
  { line, cells }: CsvRecord,
  header: Header,
  width: number,
  timeZone: string,
): ImportLine | string {
  const cell = (name: Column) => withFormula(cells[header.get(name) ?? -1] ?? '').trim();
  const [note, endText] = [cell('note'), cell('expiresOn') || cell('expiresAt')];
  const user = nameOf(withFormula(cells[header.get('user') ?? -1] ?? ''));
  if (cells.slice(width).some((one) => one.trim() !== '')) return `there are more than ${width} cells`;
  const fault = nameFault(user);
  if (fault !== null) return `the user ${fault}`;
  if (note !== '' && !isPlainText(note))
    return 'the note is longer than 256 bytes, or holds control characters';
  const end = endText === '' ? {} : readEnd(endText, timeZone);
  if (end === null) return 'the end is neither a day like 2027-01-31 nor a time like 2027-01-31T00:00:00Z';
  return { line, user, ...end, ...(note !== '' && { note }) };
}
