import type { ComponentChildren } from 'preact';

export interface Column<T> {
  readonly head: string;
  readonly cell: (row: T) => ComponentChildren;
  /** Numbers stand at the right; `actions` has no head to see. */
  readonly kind?: 'number' | 'actions';
}

/**
 * Said once more: where the table is shown as cards, on a phone, the browser would forget that it is a table.
 */
const role = {
  table: { role: 'table' },
  group: { role: 'rowgroup' },
  row: { role: 'row' },
  head: { role: 'columnheader' },
  rowHead: { role: 'rowheader' },
  cell: { role: 'cell' },
} as const;

/** Rows of one kind; the first column names the row. On a phone each row is a card. */
export function Table<T>(props: {
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  readonly isBusy?: boolean;
}) {
  const { caption, columns, rows, keyOf, isBusy = false } = props;
  return (
    <table class="table" aria-busy={isBusy} {...role.table}>
      <caption class="unseen">{caption}</caption>
      <thead {...role.group}>
        <tr {...role.row}>
          {columns.map(({ head, kind }) => (
            <th key={head} scope="col" class={kind} {...role.head}>
              {kind === 'actions' ? <span class="unseen">{head}</span> : head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody {...role.group}>
        {rows.map((row) => (
          <tr key={keyOf(row)} {...role.row}>
            {columns.map(({ head, cell, kind }, index) =>
              index === 0 ? (
                <th key={head} scope="row" {...role.rowHead}>
                  {cell(row)}
                </th>
              ) : (
                <td key={head} class={kind} data-head={head} {...role.cell}>
                  {cell(row)}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
