import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
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

/** How a formula begins, also in the forms of its signs that spreadsheets take for the same (Unicode NFKC). */
const sign = '=＝﹦⁼₌⩵⩶+＋﹢⁺₊﬩\\-－﹣−⁻₋@＠﹫';
/** What is not seen, and quotes: a spreadsheet may pass over it. */
const unseen = '\\p{Z}\\p{Cc}\\p{Cf}\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u2800\\u3164\\uffa0"';
/** Where a cell begins: at the start, and where a spreadsheet with other settings splits the text. */
const begin = '(?<=^|[;|\\t\\r\\n])';
/** A formula, also one that was made harmless before. The cell's own ends are none of what is passed over. */
const formula = `'*(?:(?![;|\\t\\r\\n])[${unseen}])*[${sign}]`;
const beforeFormula = new RegExp(`${begin}(?=${formula})`, 'gu');
const quoteBeforeFormula = new RegExp(`${begin}'(?=${formula})`, 'gu');

/** Makes text that a spreadsheet would run harmless, by a quote before it. */
export function withoutFormula(text: string): string {
  return text.replaceAll(beforeFormula, "'");
}

/** The text as it was before `withoutFormula`. */
export function withFormula(text: string): string {
  return text.includes("'") ? text.replaceAll(quoteBeforeFormula, '') : text;
}

/** Bytes that are decoded and parsed at a time. */
const PIECE_BYTES = 64 * 1024;

/**
 * How the bytes of a file are to be read, as spreadsheets save it: UTF-8 or UTF-16, with a byte order mark or without, else
 * Windows-1252, which has a character for every byte.
 */
function decoderOf(bytes: Uint8Array): (piece: Uint8Array) => string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return decoder('utf-16le');
  if (first === 0xfe && second === 0xff) return decoder('utf-16be');
  // ASCII, which any header begins with, has a zero in every other byte there.
  if (second === 0) return decoder('utf-16le');
  if (first === 0) return decoder('utf-16be');
  return isUtf8(bytes) ? decoder('utf-8') : decodeWindows;
}

function decoder(encoding: string): (piece: Uint8Array) => string {
  const text = new TextDecoder(encoding);
  return (piece) => text.decode(piece, { stream: true });
}

/** What Windows-1252 has where ISO 8859-1 has control characters, from 0x80 on. Node before 23 decodes the one as the other. */
const windowsCharacters = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

function decodeWindows(bytes: Uint8Array): string {
  const latin = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  return latin.replaceAll(/[\u0080-\u009f]/g, (one) => windowsCharacters.charAt(one.charCodeAt(0) - 0x80));
}

/** Far above any record of ours: what is longer is not held in memory as cells. */
const MAX_RECORD_CHARACTERS = 65_536;
/** A first line by which a spreadsheet is told what separates cells. */
const separatorLine = /^sep=(.)\r?\n/i;

/**
 * Reads CSV as RFC 4180 has it, or with semicolons or tabs, piece by piece: no more of the text is in memory than a piece
 * and a record. Records without any text are left out. Throws BadCsv.
 */
export async function* readCsv(bytes: Uint8Array): AsyncGenerator<CsvRecord> {
  const beginning = decoderOf(bytes)(bytes.subarray(0, PIECE_BYTES));
  const named = separatorLine.exec(beginning);
  const linesBefore = named === null ? 0 : 1;
  const parser = Readable.from(pieces(bytes, named?.[0].length ?? 0)).pipe(
    parse({
      delimiter: named?.[1] ?? delimiterOf(beginning),
      record_delimiter: ['\r\n', '\n', '\r'],
      bom: true,
      relax_column_count: true,
      skip_empty_lines: true,
      info: true,
      // What stands in quotes is meant as it stands: an export can be imported as it was.
      cast: (cell, { quoting }) => (quoting ? cell : cell.trim()),
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

/** The text without so many of its first characters, a piece at a time. */
async function* pieces(bytes: Uint8Array, skipped: number): AsyncGenerator<string> {
  const decode = decoderOf(bytes);
  for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
    const text = decode(bytes.subarray(from, from + PIECE_BYTES));
    yield from > 0 ? text : text.slice(skipped);
  }
}

/** What separates the cells of the first line that has any: outside quotes it has the most of it. */
function delimiterOf(text: string): string {
  // A line may end within quotes.
  const line = /[^\r\n]+/.exec(text.replaceAll(/"[^"]*"/g, ''))?.[0] ?? '';
  const counted = [',', ';', '\t'].map((one) => ({ one, count: line.split(one).length }));
  return counted.reduce((best, other) => (other.count > best.count ? other : best)).one;
}

function problemOf({ code }: CsvError): string {
  if (code === 'CSV_MAX_RECORD_SIZE') return `a line has more than ${MAX_RECORD_CHARACTERS} characters`;
  if (code === 'CSV_QUOTE_NOT_CLOSED') return 'a quote is opened here, and never closed';
  return 'a quote is out of place';
}
