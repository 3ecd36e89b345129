import { useState } from 'preact/hooks';
import type { License } from '../api/types.js';
import { counted, endText } from '../format.js';
import { StatusBadge } from '../parts/badge.js';
import type { Pages } from '../parts/pages.js';
import { type Column, Table } from '../parts/table.js';
import { Time } from '../parts/time.js';
import { useTimeZone } from '../state/org.js';
import { go, hrefOf } from '../state/route.js';
import { may } from '../state/session.js';
import { type BulkAction, BulkDialog, bulkActions } from './bulk-dialog.js';
import { LicenseChanges } from './license-changes.js';

interface TableProps {
  readonly org: string;
  readonly pages: Pages<License>;
  readonly onChanged: () => void;
}

/** Licenses as rows, each with its changes, and with what can be done with many of them. */
export function LicenseTable({ org, pages, onChanged }: TableProps) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [action, setAction] = useState<BulkAction | null>(null);
  const zone = useTimeZone();
  const selected = pages.items.filter(({ id }) => chosen.has(id));
  function onDone(before: License, after: License): void {
    pages.update((items) => items.map((one) => (one.user === before.user ? after : one)));
    if (before.user !== after.user) go(hrefOf(org, 'users', after.user));
    onChanged();
  }
  const selection = { chosen, onChange: setChosen, labelOf: ({ user }: License) => user };
  return (
    <>
      {selected.length > 0 && (
        <section class="chosen" aria-label="Chosen licenses">
          <span aria-live="polite">{counted(selected.length, 'license')} chosen</span>
          {bulkActions.map((one) => (
            <button key={one.name} type="button" class="button small" onClick={() => setAction(one)}>
              {one.verb}…
            </button>
          ))}
        </section>
      )}
      <div class="card flush">
        <Table
          caption="Licenses"
          columns={columnsOf(org, zone, onDone)}
          rows={pages.items}
          keyOf={({ id }) => id}
          isBusy={pages.isBusy}
          selection={may('admin') ? selection : undefined}
        />
      </div>
      {action !== null && (
        <BulkDialog
          org={org}
          action={action}
          licenses={selected}
          onChanged={onChanged}
          onClose={() => {
            setAction(null);
            setChosen(new Set());
          }}
        />
      )}
    </>
  );
}

function columnsOf(
  org: string,
  zone: string | undefined,
  onDone: (before: License, after: License) => void,
): readonly Column<License>[] {
  const columns: Column<License>[] = [
    { head: 'User', cell: ({ user }) => <a href={hrefOf(org, 'users', user)}>{user}</a> },
    { head: 'Status', cell: ({ status }) => <StatusBadge status={status} /> },
    { head: 'Issued', cell: ({ issuedAt }) => <Time at={issuedAt} /> },
    {
      head: 'Ends',
      cell: (license) => (
        <span class={license.expiresAt === null ? 'faint' : 'day'}>{endText(license, zone)}</span>
      ),
    },
    {
      head: 'Last used',
      cell: ({ lastUsedAt }) =>
        lastUsedAt === null ? <span class="faint">never</span> : <Time at={lastUsedAt} />,
    },
    {
      head: 'Note',
      cell: ({ note }) => (
        <span class="note" title={note ?? ''}>
          {note ?? ''}
        </span>
      ),
    },
  ];
  if (!may('admin')) return columns;
  const actions: Column<License> = {
    head: 'Actions',
    kind: 'actions',
    cell: (license) => (
      <LicenseChanges org={org} license={license} onDone={(after) => onDone(license, after)} />
    ),
  };
  return [...columns, actions];
}
