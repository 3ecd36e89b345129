import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvLine } from '../../src/admin/csv.js';
import { readCsv, withFormula, withoutFormula } from '../../src/license/csv.js';

/** Text made of what matters here, and any other. */
const part = fc.oneof(
  fc.constantFrom("'", "''", '"', '""', '=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '⁼', '−', '﬩', '⩵'),
  fc.constantFrom(' ', '  ', '\u00a0', '\u3000', '\u200b', '\ufeff', '\u2060', '\u2800', '\t', '\r', '\n'),
  fc.constantFrom(';', ',', '|', 'a', '1', '1+1', 'cmd', '()'),
  fc.string({ unit: 'grapheme', maxLength: 3 }),
);
const text = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(''));
const runs = { numRuns: 2000 };

/** What spreadsheets may make of a first character. */
const startsFormula = (cell: string) => /^[=+\-@]/.test(cell.normalize('NFKC').replace('\u2212', '-'));
/** A cell as it may be read: without what is not seen before it, and without the quotes of CSV. */
const bare = (cell: string) => cell.replace(/^[\p{Z}\p{Cc}\p{Cf}\u2800"]+/u, '');

describe('a cell of CSV', () => {
  it('is what it was when it comes back, whatever it begins with', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(withFormula(withoutFormula(value))).toBe(value);
      }),
      runs,
    );
  });

  it('is no formula, nor does it hold one where a spreadsheet splits at semicolons, tabs or lines', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), (cells) => {
        const line = csvLine(cells);
        for (const separator of [/[;\r\n]/, /[\t\r\n]/, /[|\r\n]/]) {
          for (const cell of line.split(separator)) {
            expect([cell, startsFormula(bare(cell))]).toEqual([cell, false]);
          }
        }
      }),
      runs,
    );
  });

  it('is read as it was written, with all others of its line', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 4 }), async (cells) => {
        // A record without any text is left out.
        const line = csvLine(['first', ...cells]);
        for await (const record of readCsv(Buffer.from(line))) {
          expect(record.cells.filter((cell) => startsFormula(bare(cell)))).toEqual([]);
          expect(record.cells.map(withFormula)).toEqual(['first', ...cells]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['=1+1', "'=1+1"],
    ["'=1+1", "''=1+1"],
    ["'plain", "'plain"],
    ['a=b', 'a=b'],
    ['  =1+1', "'  =1+1"],
    ['＝1+1', "'＝1+1"],
    ['\u3000＠SUM(A1)', "'\u3000＠SUM(A1)"],
    ['x;=1+1', "x;'=1+1"],
    ['x; "=1+1', `x;' "=1+1`],
    ['\ufeff-1', "'\ufeff-1"],
    ['it’s; fine', 'it’s; fine'],
    ['ada@example.com', 'ada@example.com'],
  ])('%j is written as %j', (given, written) => {
    expect([withoutFormula(given), withFormula(written)]).toEqual([written, given]);
  });

  it('takes a time that grows with its length alone', () => {
    const begin = performance.now();
    for (const value of ["'", ' ', '"', ';', "';", ' ;', '=', "' "].map((one) => one.repeat(30_000)))
      expect(withFormula(withoutFormula(value))).toBe(value);
    expect(performance.now() - begin).toBeLessThan(60_000);
  });
});
