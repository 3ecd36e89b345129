import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { CsvError, parse } from 'csv-parse';

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

/**
 * The text of a file as spreadsheets save it: UTF-8 or UTF-16, with a byte order mark or without, else Windows-1252, which
 * has a character for every byte.
 */
export function decodeCsv(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return decoded(bytes, 'utf-16le');
  if (first === 0xfe && second === 0xff) return decoded(bytes, 'utf-16be');
  // ASCII, which any header begins with, has a zero in every other byte there.
  if (second === 0) return decoded(bytes, 'utf-16le');
  if (first === 0) return decoded(bytes, 'utf-16be');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return decodeWindows(bytes);
  }
}

function decoded(bytes: Uint8Array, encoding: string): string {
  return new TextDecoder(encoding).decode(bytes);
}

/** What Windows-1252 has where ISO 8859-1 has control characters, from 0x80 on. Node before 23 decodes the one as the other. */
const windowsCharacters = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

function decodeWindows(bytes: Uint8Array): string {
  const latin = Buffer.from(bytes).toString('latin1');
  return latin.replaceAll(/[\u0080-\u009f]/g, (one) => windowsCharacters.charAt(one.charCodeAt(0) - 0x80));
}

/** Far above any record of ours: what is longer is not held in memory as cells. */
const MAX_RECORD_CHARACTERS = 65_536;
/** Characters after which other work of the process has its turn: the largest files take seconds. */
const TURN_CHARACTERS = 16 * 1024;
/** A first line by which a spreadsheet is told what separates cells. */
const separatorLine = /^sep=(.)\r?\n/i;

/**
 * Reads CSV as RFC 4180 has it, or with semicolons or tabs, a little at a time. Records without any text are left out.
 * Throws BadCsv.
 */
export async function* readCsv(text: string): AsyncGenerator<CsvRecord> {
  const named = separatorLine.exec(text);
  const begin = named?.[0].length ?? 0;
  const linesBefore = named === null ? 0 : 1;
  const parser = Readable.from(pieces(text, begin)).pipe(
    parse({
      delimiter: named?.[1] ?? delimiterOf(text),
      record_delimiter: ['\r\n', '\n', '\r'],
      bom: true,
      relax_column_count: true,
      skip_empty_lines: true,
      info: true,
      max_record_size: MAX_RECORD_CHARACTERS,
    }),
  );
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: string[];
      info: { lines: number };
    }>) {
      if (record.every((cell) => cell.trim() === '')) continue;
      const within = record.reduce((count, cell) => count + (cell.split('\n').length - 1), 0);
      yield { line: linesBefore + info.lines - within, cells: record };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new BadCsv(linesBefore + Number(error.lines ?? 1), problemOf(error));
  }
}

async function* pieces(text: string, begin: number): AsyncGenerator<string> {
  for (let from = begin; from < text.length; from += TURN_CHARACTERS) {
    yield text.slice(from, from + TURN_CHARACTERS);
    await setImmediate();
  }
}

/** What separates the cells of the first line that has any: outside quotes it has the most of it. */
function delimiterOf(text: string): string {
  const line = /[^\r\n]+/.exec(text)?.[0].replaceAll(/"[^"]*"/g, '') ?? '';
  const counted = [',', ';', '\t'].map((one) => ({ one, count: line.split(one).length }));
  return counted.reduce((best, other) => (other.count > best.count ? other : best)).one;
}

function problemOf({ code }: CsvError): string {
  if (code === 'CSV_MAX_RECORD_SIZE') return `a line has more than ${MAX_RECORD_CHARACTERS} characters`;
  if (code === 'CSV_QUOTE_NOT_CLOSED') return 'a quote is opened here, and never closed';
  return 'a quote is out of place';
}
