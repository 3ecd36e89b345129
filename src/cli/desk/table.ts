import Table from 'cli-table3';

export interface TableOptions {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns of the terminal; undefined: the table goes into a file or a pipe, and is as wide as it is. */
  readonly width?: number | undefined;
  /** Headings of columns that are left out where the table is too wide: the first one first. */
  readonly expendable?: readonly string[];
}

const GAP = 2;
const NARROWEST = 8;

/** A table without lines. On a terminal it fits: columns are left out that may be, then the widest are cut short. */
export function tableOf({ head, rows, width, expendable = [] }: TableOptions): string {
  const limit = width ?? Number.POSITIVE_INFINITY;
  const columns = Math.max(head.length, ...rows.map((row) => row.length));
  const widest = Array.from({ length: columns }, (_, index) =>
    Math.max(widthOf(head[index] ?? ''), ...rows.map((row) => widthOf(row[index] ?? ''))),
  );
  let kept = widest.map((_, index) => index);
  for (const name of expendable) {
    if (totalOf(kept.map((index) => widest[index] ?? 0)) <= limit) break;
    kept = kept.filter((index) => head[index] !== name);
  }
  const widths = fitted(
    kept.map((index) => widest[index] ?? 0),
    limit,
  );
  const only = (cells: readonly string[]) => kept.map((index) => cells[index] ?? '');
  return drawn(head.length === 0 ? [] : only(head), rows.map(only), widths);
}

function totalOf(widths: readonly number[]): number {
  return widths.reduce((sum, one) => sum + one, 0) + GAP * (widths.length - 1);
}

/** The widths, with the widest made narrower until all fit, or until none can give any more. */
function fitted(widths: readonly number[], limit: number): readonly number[] {
  const fit = [...widths];
  while (totalOf(fit) > limit) {
    const most = Math.max(...fit);
    if (most <= NARROWEST) break;
    fit[fit.lastIndexOf(most)] = most - 1;
  }
  return fit;
}

function drawn(head: readonly string[], rows: readonly string[][], widths: readonly number[]): string {
  const names = [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
  ];
  const more = ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'];
  const none = Object.fromEntries([...names, ...more].map((name) => [name, '']));
  const table = new Table({
    head: [...head],
    chars: { ...none, middle: ' '.repeat(GAP) },
    colWidths: [...widths],
    style: { 'padding-left': 0, 'padding-right': 0, head: process.stdout.isTTY ? ['bold'] : [], border: [] },
  });
  table.push(...rows);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const letters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
/** What a terminal draws over two columns: Chinese, Japanese and Korean letters, and most emoji. */
const isWide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|^\p{Emoji_Presentation}/u;

function widthOf(text: string): number {
  let width = 0;
  for (const { segment } of letters.segment(text)) width += isWide.test(segment) ? 2 : 1;
  return width;
}
