import { caseFolded, foldedName, isPlainText, nameFault, nameOf } from '../protocol/text.js';
import type { LicenseTerms } from '../store/license-types.js';
import { BadCsv, type CsvRecord, readCsv, withFormula } from './csv.js';
import { readEnd, readStart } from './end.js';
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
  readonly terms?: LicenseTerms;
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
  ['kind', 'kind'],
  ['startsat', 'startsAt'],
  ['startson', 'startsOn'],
  ['starts', 'startsAt'],
  ['gracedays', 'graceDays'],
  ['idleexempt', 'idleExempt'],
]);
type Column =
  | 'user'
  | 'expiresAt'
  | 'expiresOn'
  | 'note'
  | 'kind'
  | 'startsAt'
  | 'startsOn'
  | 'graceDays'
  | 'idleExempt';
const wantedColumns = 'expiresAt, note, kind, startsAt, graceDays and idleExempt';
type Header = ReadonlyMap<Column, number>;

/** By what a file is read. */
export interface ImportRules {
  /** Unix ms. */
  readonly nowMs: number;
  /** Of the org: its days are meant. */
  readonly timeZone: string;
  readonly ignoresCase: boolean;
  /** Licenses that one file may hold. */
  readonly maxLines: number;
}

/**
 * Reads a file once: `user`, and if wanted `expiresAt` (or `expiresOn`), `note`, `kind`, `startsAt`, `graceDays` and `idleExempt`,
 * named by a header line, in any order and among others. It keeps the names that it has met and the faults, and no line.
 */
export class ImportReading {
  readonly faults = new Faults();
  /** What is merely odd. */
  readonly warnings = new Faults();
  readonly #seen = new Set<string>();
  readonly #folded = new Set<string>();

  constructor(private readonly rules: ImportRules) {}

  /** The good lines, as far as the file can be read. What is wrong with the others is in `faults` when it has ended. */
  async *lines(bytes: Uint8Array): AsyncGenerator<ImportLine> {
    let header: { readonly columns: Header; readonly width: number } | null = null;
    let records = 0;
    try {
      for await (const record of readCsv(bytes)) {
        if (header === null) {
          const columns = readHeader(record.cells);
          if (typeof columns === 'string') return this.faults.add(record.line, columns);
          header = { columns, width: record.cells.length };
          continue;
        }
        records += 1;
        if (records > this.rules.maxLines) {
          const why = `the file has more than ${this.rules.maxLines} lines: split it`;
          return this.faults.add(record.line, why);
        }
        const read = readLine(record, header.columns, header.width, this.rules.timeZone);
        const problem = typeof read === 'string' ? read : this.#problemOf(read);
        if (problem !== null) this.faults.add(record.line, problem);
        else yield read as ImportLine;
      }
    } catch (error) {
      if (!(error instanceof BadCsv)) throw error;
      this.faults.add(error.line, error.message);
    }
    if (records === 0 && this.faults.count === 0) this.faults.add(1, 'there is no license to issue');
  }

  #problemOf({ line, user, expiresAt }: ImportLine): string | null {
    const { ignoresCase, nowMs } = this.rules;
    const name = ignoresCase ? caseFolded(user) : user;
    if (this.#seen.has(name)) return 'the user stands on an earlier line too';
    this.#seen.add(name);
    if (expiresAt !== undefined && expiresAt <= nowMs) return 'the end is in the past';
    const alike = foldedName(user);
    if (this.#folded.has(alike))
      this.warnings.add(line, 'another user of the file has the same name in other letters');
    this.#folded.add(alike);
    return null;
  }
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
  return `the first line must name the columns: user, and if wanted ${wantedColumns}`;
}

/** A line; or what is wrong with it. */
function readLine(
  { line, cells }: CsvRecord,
  header: Header,
  width: number,
  timeZone: string,
): ImportLine | string {
  const cell = (name: Column) => withFormula(cells[header.get(name) ?? -1] ?? '');
  const note = cell('note');
  const endText = cell('expiresOn').trim() || cell('expiresAt').trim();
  const user = nameOf(cell('user'));
  if (cells.slice(width).some((one) => one.trim() !== '')) return `there are more than ${width} cells`;
  const fault = nameFault(user);
  if (fault !== null) return `the user ${fault}`;
  if (note !== '' && !isPlainText(note))
    return 'the note is longer than 256 bytes, or holds control characters';
  const end = endText === '' ? {} : readEnd(endText, timeZone);
  if (end === null) return 'the end is neither a day like 2027-01-31 nor a time like 2027-01-31T00:00:00Z';
  const terms = readTerms(cell, timeZone);
  if (typeof terms === 'string') return terms;
  return {
    line,
    user,
    ...end,
    ...(note !== '' && { note }),
    ...(Object.keys(terms).length > 0 && { terms }),
  };
}

const MOST_GRACE_DAYS = 3650;

/** What goes along with the license; or what is wrong with it. */
function readTerms(cell: (name: Column) => string, timeZone: string): LicenseTerms | string {
  const kind = cell('kind').trim() === '' ? '' : cell('kind');
  if (kind !== '' && !isPlainText(kind))
    return 'the kind is longer than 256 bytes, or holds control characters';
  const [starts, grace, exempt] = [
    cell('startsOn').trim() || cell('startsAt'),
    cell('graceDays'),
    cell('idleExempt'),
  ].map((text) => text.trim()) as [string, string, string];
  const startsAt = starts === '' ? null : readStart(starts, timeZone);
  if (starts !== '' && startsAt === null)
    return 'the start is neither a day like 2027-01-31 nor a time like 2027-01-31T00:00:00Z';
  if (grace !== '' && !(/^\d{1,4}$/.test(grace) && Number(grace) <= MOST_GRACE_DAYS))
    return `graceDays is no whole number from 0 to ${MOST_GRACE_DAYS}`;
  const isExempt = exempt === '' ? undefined : answers.get(exempt.toLowerCase());
  if (exempt !== '' && isExempt === undefined) return 'idleExempt is neither true nor false';
  return {
    ...(kind !== '' && { kind }),
    ...(startsAt !== null && { startsAt }),
    ...(grace !== '' && { graceDays: Number(grace) }),
    ...(isExempt !== undefined && { idleExempt: isExempt }),
  };
}

/** As people and spreadsheets write it. */
const answers: ReadonlyMap<string, boolean> = new Map([
  ...['true', 'yes', '1', 'wahr', 'ja', 'vrai', 'oui', 'x'].map((word) => [word, true] as const),
  ...['false', 'no', '0', 'falsch', 'nein', 'faux', 'non'].map((word) => [word, false] as const),
]);
