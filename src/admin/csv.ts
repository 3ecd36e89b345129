import { withoutFormula } from '../license/csv.js';

type Cell = string | number | null | undefined;

/**
 * A line of CSV (RFC 4180). Each cell is in quotes, so that none is split where commas, semicolons or tabs are expected, and text is
 * no formula. An export of licenses can be imported as it was.
 */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(cell: Cell): string {
  const text = typeof cell === 'string' ? withoutFormula(cell) : String(cell ?? '');
  return `"${text.replaceAll('"', '""')}"`;
}

export const CSV_TYPE = 'text/csv; charset=utf-8';
