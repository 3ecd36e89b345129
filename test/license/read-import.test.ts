import { describe, expect, it } from 'vitest';
import { readEnd } from '../../src/license/end.js';
import { readWhole } from '../support/import-files.js';

const now = { nowMs: Date.parse('2026-06-01T00:00:00Z'), timeZone: 'Europe/Berlin' };
const read = (file: string | Buffer) => readWhole(file, now);

/** The users, ends and notes of a file; or its faults. */
async function meaning(file: string | Buffer) {
  const { lines, faults } = await read(file);
  if (faults.count > 0) return faults.all;
  return lines.map(({ user, expiresOn, expiresAt, note }) => [
    user,
    expiresOn ?? expiresAt ?? null,
    note ?? null,
  ]);
}

const rows = [
  ['User', 'Expires At', 'Note'],
  ['ada', '2027-01-31', 'Zürich, „neu“'],
  ['grace@example.com', '', ''],
  ['joan', '2027-02-28T12:00:00Z', 'says ""hi""'],
];
const meant = [
  ['ada', '2027-01-31', 'Zürich, „neu“'],
  ['grace@example.com', null, null],
  ['joan', Date.parse('2027-02-28T12:00:00Z'), 'says "hi"'],
];
const written = (by: string, end = '\r\n') =>
  rows
    .map((cells) => cells.map((cell) => (/["',;]/.test(cell) ? `"${cell}"` : cell)).join(by) + end)
    .join('');
const utf16 = (text: string, isBig = false) => {
  const bytes = Buffer.from(text, 'utf16le');
  return isBig ? bytes.swap16() : bytes;
};
/** What Excel writes on a German Windows. */
const windows = (text: string) =>
  Buffer.from(text.replaceAll('„', '\u0084').replaceAll('“', '\u0093'), 'latin1');

describe('a file as spreadsheets save it', () => {
  it.each([
    ['commas', written(',')],
    ['semicolons', written(';')],
    ['tabs', written('\t')],
    ['a first line that names the separator', `sep=;\r\n${written(';')}`],
    ['line ends of Unix', written(',', '\n')],
    ['line ends of old Macs', written(',', '\r')],
    ['no last line end', written(';').trimEnd()],
    ['a byte order mark', `\ufeff${written(';')}`],
    ['UTF-16', utf16(`\ufeff${written('\t')}`)],
    ['UTF-16 the other way round', utf16(`\ufeff${written('\t')}`, true)],
    ['UTF-16 without a mark', utf16(written('\t'))],
    ['Windows-1252', windows(written(';'))],
    ['empty lines', `\r\n\r\n${written(';')}\r\n\r\n`],
    ['rows of bare separators', `${written(';')};;\r\n;;;;;\r\n`],
    ['columns of bare separators', written(';').replaceAll('\r\n', ';;;\r\n')],
    [
      'more columns than needed',
      written(';').replace(/^(.*)\r\n(.*)\r\n/, '$1;Department;Manager\r\n$2;R&D;Bob\r\n'),
    ],
    ['names in quotes', written(';').replace('User', '"User"')],
  ])('with %s', async (_, file) => {
    expect(await meaning(file)).toEqual(meant);
  });

  it.each([
    ['user', 'user;expiresAt;note'],
    ['in capitals', 'USER;EXPIRESAT;NOTE'],
    ['with blanks', ' User ; Expires at ; Note '],
    ['with lines', 'user;expires_at;note'],
    ['by the day', 'User;Expires on;Note'],
  ])('with a header %s', async (_, header) => {
    const day = [['ada', '2027-01-31', 'x']];
    expect(await meaning(`${header}\nada;2027-01-31;x\n`)).toEqual(day);
    const turned = header.split(';').reverse().join(';');
    expect(await meaning(`${turned}\nx;2027-01-31;ada\n`)).toEqual(day);
  });

  it('with cells of several lines, whose faults have the line where they begin', async () => {
    const file = 'note,user,expiresAt\n"one\ntwo",ada,\n\n,,\n,grace,soon\n';
    expect(await meaning(file)).toMatchObject([
      { problem: expect.stringContaining('note'), lines: [2] },
      { problem: expect.stringContaining('2027-01-31'), lines: [6] },
    ]);
  });
});

describe('a day', () => {
  it.each([
    ['2027-01-31', '2027-01-31', '2027-01-31T23:00:00Z'],
    ['31.01.2027', '2027-01-31', '2027-01-31T23:00:00Z'],
    ['1.7.2027', '2027-07-01', '2027-07-01T22:00:00Z'],
    ['2027/03/27', '2027-03-27', '2027-03-27T23:00:00Z'],
    // The clocks go forward, and back.
    ['2027-03-28', '2027-03-28', '2027-03-28T22:00:00Z'],
    ['2027-10-31', '2027-10-31', '2027-10-31T23:00:00Z'],
    ['9999-12-31', '9999-12-31', '9999-12-31T23:00:00Z'],
  ])('%s is the last full one in the org’s time zone', async (text, expiresOn, end) => {
    const { lines } = await read(`user;expires\nada;${text}\n`);
    expect(lines).toEqual([{ line: 2, user: 'ada', expiresOn, expiresAt: Date.parse(end) }]);
  });

  it.each(['01/02/2027', '2027-02-30', '31.11.2027', 'tomorrow', '45000', '2027-1-31 10:00'])(
    '%s is none',
    async (text) => {
      expect(await meaning(`user;expires\nada;${text}\n`)).toMatchObject([{ count: 1, lines: [2] }]);
    },
  );

  it('that is over is in the past, and today is not', async () => {
    const file = 'user;expires\nada;2026-05-31\ngrace;2026-06-01\n';
    expect(await meaning(file)).toMatchObject([{ problem: 'the end is in the past', lines: [2] }]);
  });
});

it('the last day of all has an end that can be written', () => {
  for (const zone of ['UTC', 'America/New_York'])
    expect(readEnd('9999-12-31', zone)).toEqual({
      expiresOn: '9999-12-31',
      expiresAt: Date.parse('9999-12-31T23:59:59.999Z'),
    });
});

it('each kind of fault is told once, with its count and its first hundred lines', async () => {
  const bad = Array.from({ length: 250 }, (_, n) => `user${n},soon`).join('\n');
  const faults = await meaning(`user,expires\nada,\nada,\n${bad}\n,2027-01-31\n`);
  expect(faults).toMatchObject([
    { problem: 'the user stands on an earlier line too', count: 1, lines: [3] },
    { problem: expect.stringContaining('2027-01-31'), count: 250 },
    { problem: expect.stringContaining('user is empty'), count: 1, lines: [254] },
  ]);
  expect((faults[1] as { readonly lines: readonly number[] }).lines).toEqual(
    Array.from({ length: 100 }, (_, n) => n + 4),
  );
});

it('users who differ only by case or form are warned of, and issued', async () => {
  const { lines, faults, warnings } = await read(
    'user\nada@example.com\nAda@Example.com\n\uff41da@example.com\nbob\n',
  );
  expect([lines.length, faults.count]).toEqual([4, 0]);
  expect(warnings.all).toMatchObject([{ count: 2, lines: [3, 4] }]);
});
