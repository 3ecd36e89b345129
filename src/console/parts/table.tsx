import type { ComponentChildren } from 'preact';
import './table.css';

export interface Column<T> {
  readonly head: string;
  readonly cell: (row: T) => ComponentChildren;
  /** Numbers stand at the right; `actions` has no head to see; `pick` has a box in it. */
  readonly kind?: 'number' | 'actions' | 'pick';
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

/** Rows that can be chosen, by their keys. */
export interface Selection<T> {
  readonly chosen: ReadonlySet<string>;
  readonly onChange: (chosen: ReadonlySet<string>) => void;
  /** What a row is called beside its box. */
  readonly labelOf: (row: T) => string;
}

/** Rows of one kind; the first column names the row. On a phone each row is a card. */
export function Table<T>(props: {
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  readonly isBusy?: boolean;
  readonly selection?: Selection<T> | undefined;
}) {
  const { caption, columns, rows, keyOf, isBusy = false, selection } = props;
  const all = selection === undefined ? columns : withBoxes(columns, selection, keyOf);
  return (
    <table class="table" aria-busy={isBusy} {...role.table}>
      <caption class="unseen">{caption}</caption>
      <thead {...role.group}>
        <tr {...role.row}>
          {all.map(({ head, kind }) => (
            <th key={head} scope="col" class={kind} {...role.head}>
              {kind === 'pick' && selection && <AllBox selection={selection} keys={rows.map(keyOf)} />}
              {kind === 'actions' && <span class="unseen">{head}</span>}
              {kind !== 'pick' && kind !== 'actions' && head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody {...role.group}>
        {rows.map((row) => (
          <tr key={keyOf(row)} {...role.row}>
            {all.map(({ head, cell, kind }, index) =>
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

/** The boxes stand beside the actions: a row is still called by what it is about. */
function withBoxes<T>(
  columns: readonly Column<T>[],
  selection: Selection<T>,
  keyOf: (row: T) => string,
): readonly Column<T>[] {
  const boxes: Column<T> = {
    head: 'Choose',
    kind: 'pick',
    cell: (row) => <RowBox selection={selection} row={row} keyOf={keyOf} />,
  };
  const actions = columns.filter(({ kind }) => kind === 'actions');
  return [...columns.filter(({ kind }) => kind !== 'actions'), boxes, ...actions];
}

function AllBox<T>({
  selection,
  keys,
}: {
  readonly selection: Selection<T>;
  readonly keys: readonly string[];
}) {
  const { chosen, onChange } = selection;
  const isAll = keys.length > 0 && keys.every((key) => chosen.has(key));
  return (
    <input
      type="checkbox"
      aria-label="Choose all rows of this page"
      checked={isAll}
      onChange={() => onChange(new Set(isAll ? [] : keys))}
    />
  );
}

function RowBox<T>(props: {
  readonly selection: Selection<T>;
  readonly row: T;
  readonly keyOf: (row: T) => string;
}) {
  const { selection, row, keyOf } = props;
  const { chosen, onChange, labelOf } = selection;
  const key = keyOf(row);
  return (
    <input
      type="checkbox"
      aria-label={`Choose ${labelOf(row)}`}
      checked={chosen.has(key)}
      onChange={() => {
        const next = new Set(chosen);
        if (!next.delete(key)) next.add(key);
        onChange(next);
      }}
    />
  );
}
