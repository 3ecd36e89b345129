import { withoutFormula } from '../license/csv.js';

/** A line of CSV as RFC 4180 has it: what holds a comma, a quote or a line end is quoted. Text is no formula. */
export function csvLine(cells: readonly (string | number | null | undefined)[]): string {
  return `${cells.map((cell) => csvCell(typeof cell === 'string' ? withoutFormula(cell) : String(cell ?? ''))).join(',')}\r\n`;
}

function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export const CSV_TYPE = 'text/csv; charset=utf-8';
