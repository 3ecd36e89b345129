import { describe, expect, it } from 'vitest';
import { tableOf } from '../../../src/cli/desk/table.js';

const head = ['user', 'status', 'license'];
const rows = [
  ['ada@example.com', 'active', '01980000-0000-7000-8000-000000000001'],
  ['a user with a name that goes on for longer than a terminal is wide', 'suspended', '0198'],
  ['日本語の名前の人', 'active', '0199'],
];
const lines = (width: number | undefined, expendable: readonly string[] = []) =>
  tableOf({ head, rows, width, expendable }).split('\n');

/** As a terminal draws it: those letters take two columns. */
const drawnWidth = (line: string) => line.replaceAll(/[\u3000-\u9fff]/g, '##').length;

describe('a table', () => {
  it.each([120, 80, 60, 40])('fits a terminal of %d columns', (width) => {
    for (const line of lines(width)) expect(drawnWidth(line)).toBeLessThanOrEqual(width);
  });

  it('keeps short cells whole, and marks where one was cut', () => {
    const [, first = '', second = ''] = lines(60);
    expect(first).toContain('active');
    expect(second).toMatch(/…\s+suspended/);
  });

  it('leaves out what may be left out before it cuts', () => {
    const short = rows.slice(0, 1);
    const drawn = tableOf({ head, rows: short, width: 40, expendable: ['license'] });
    expect(drawn).not.toContain('license');
    expect(drawn).toContain('ada@example.com  active');
    expect(tableOf({ head, rows: short, width: 80, expendable: ['license'] })).toContain('license');
  });

  it('is whole where it goes into a file', () => {
    expect(lines(undefined)[2]).toContain('longer than a terminal is wide');
  });
});
