import { useEffect, useState } from 'preact/hooks';
import { call, fromPage, orgPath } from '../api/client.js';
import type { License, Org } from '../api/types.js';
import { dateText, numberText } from '../format.js';
import { StatusBadge } from '../parts/badge.js';
import { SelectField } from '../parts/field.js';
import { Icon } from '../parts/icon.js';
import { Empty, Failure, Page } from '../parts/page.js';
import { Pager, type Pages, usePages } from '../parts/pages.js';
import { type Column, Table } from '../parts/table.js';
import { Time } from '../parts/time.js';
import { go, hrefOf, route } from '../state/route.js';
import { may } from '../state/session.js';
import { ImportDialog } from './import-dialog.js';
import { IssueDialog } from './issue-dialog.js';
import { LicenseChanges } from './license-changes.js';
import { UserJump } from './user-jump.js';

const filters = ['issued', 'active', 'suspended', 'expired', 'revoked', 'unused'] as const;
type Filter = (typeof filters)[number];

const spans = [7, 30, 90, 365].map((days) => ({ value: String(days), label: `for ${days} days` }));

/** Licenses: who has one, who does not use it, and everything that changes one. */
export function LicensesView({ org }: { readonly org: string }) {
  const filter = filters.find((one) => one === route.value.query.show) ?? 'issued';
  const [days, setDays] = useState('30');
  const [dialog, setDialog] = useState<'one' | 'many' | null>(null);
  const [counts, refreshCounts] = useCounts(org);
  const pages = usePages<License>(
    filter === 'unused' ? orgPath(org, 'unused-licenses') : orgPath(org, 'licenses'),
    filter === 'unused' ? { days } : filter === 'issued' ? {} : { status: filter },
  );
  const refresh = () => {
    pages.refresh();
    refreshCounts();
  };
  return (
    <Page
      title="Licenses"
      intro={<QuotaLine org={counts} />}
      actions={<Actions org={org} onOpen={setDialog} />}
    >
      <div class="bar">
        <Filters org={org} chosen={filter} counts={counts} />
        {filter === 'unused' && (
          <SelectField label="Unused" value={days} onChange={setDays} options={spans} />
        )}
        <UserJump org={org} />
      </div>
      <Failure error={pages.error} />
      <LicenseList org={org} filter={filter} pages={pages} onChanged={refresh} />
      <Pager pages={pages} label="Pages of licenses" />
      {dialog === 'one' && <IssueDialog org={org} onDone={refresh} onClose={() => setDialog(null)} />}
      {dialog === 'many' && <ImportDialog org={org} onDone={refresh} onClose={() => setDialog(null)} />}
    </Page>
  );
}

function useCounts(org: string): [Org | null, () => void] {
  const [answer, setAnswer] = useState<Org | null>(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    // The list tells of an error, if there is one.
    call<Org>('GET', orgPath(org)).then(setAnswer, () => {});
  }, [org, turn]);
  return [answer, () => setTurn((before) => before + 1)];
}

function QuotaLine({ org }: { readonly org: Org | null }) {
  if (org === null) return <>&nbsp;</>;
  const { issued, available } = org.counts;
  const { quota } = org.settings;
  if (quota === null || available === null) return <>{numberText(issued)} issued; this org has no quota.</>;
  return (
    <>
      {numberText(issued)} of {numberText(quota)} issued, {numberText(available)} left.
    </>
  );
}

function Actions(props: { readonly org: string; readonly onOpen: (dialog: 'one' | 'many') => void }) {
  const { org, onOpen } = props;
  return (
    <>
      <a class="button" href={fromPage(orgPath(org, 'license-export'))} download={`${org}-licenses.csv`}>
        <Icon name="download" /> Export
      </a>
      {may('admin') && (
        <>
          <button type="button" class="button" onClick={() => onOpen('many')}>
            <Icon name="upload" /> Import
          </button>
          <button type="button" class="button primary" onClick={() => onOpen('one')}>
            <Icon name="add" /> Issue license
          </button>
        </>
      )}
    </>
  );
}

function Filters(props: { readonly org: string; readonly chosen: Filter; readonly counts: Org | null }) {
  const { org, chosen, counts } = props;
  const countOf = (filter: Filter): number | undefined => {
    if (counts === null) return undefined;
    const { issued, suspended, expired, revoked } = counts.counts;
    const known: Partial<Record<Filter, number>> = { issued, suspended, expired, revoked };
    return filter === 'active' ? issued - suspended - expired : known[filter];
  };
  return (
    <nav aria-label="Which licenses">
      <ul class="tabs">
        {filters.map((filter) => (
          <li key={filter}>
            <a
              href={hrefOf(org, 'licenses', undefined, filter === 'issued' ? {} : { show: filter })}
              aria-current={filter === chosen ? 'true' : undefined}
            >
              {filter === 'issued' ? 'All' : filter}
              {countOf(filter) !== undefined && <span class="count">{numberText(countOf(filter) ?? 0)}</span>}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

const emptyWords: Readonly<Record<Filter, readonly [string, string]>> = {
  issued: ['No license is issued', 'Issue one to a user, or import many from a CSV file.'],
  active: ['No license is active', 'Issue one, or reinstate one that is suspended.'],
  suspended: ['No license is suspended', 'A suspended license keeps its place in the quota.'],
  expired: ['No license has expired', 'A license without an end date never does.'],
  revoked: ['No license was revoked', 'Revoking frees a place in the quota.'],
  unused: ['Every license was used', 'Licenses that nobody used for that long appear here, to be revoked.'],
};

function LicenseList(props: {
  readonly org: string;
  readonly filter: Filter;
  readonly pages: Pages<License>;
  readonly onChanged: () => void;
}) {
  const { org, filter, pages, onChanged } = props;
  if (pages.items.length === 0 && !pages.isBusy && pages.error === null) {
    const [title, text] = emptyWords[filter];
    return <Empty title={title}>{text}</Empty>;
  }
  function onDone(before: License, after: License): void {
    pages.update((items) => items.map((one) => (one.user === before.user ? after : one)));
    if (before.user !== after.user) go(hrefOf(org, 'users', after.user));
    onChanged();
  }
  const columns: Column<License>[] = [
    { head: 'User', cell: ({ user }) => <a href={hrefOf(org, 'users', user)}>{user}</a> },
    { head: 'Status', cell: ({ status }) => <StatusBadge status={status} /> },
    { head: 'Issued', cell: ({ issuedAt }) => <Time at={issuedAt} /> },
    {
      head: 'Ends',
      cell: ({ expiresAt, expiresOn }) =>
        expiresAt === null ? <Never /> : (expiresOn ?? dateText(expiresAt)),
    },
    {
      head: 'Last used',
      cell: ({ lastUsedAt }) => (lastUsedAt === null ? <Never /> : <Time at={lastUsedAt} />),
    },
    { head: 'Note', cell: ({ note }) => <span class="note">{note ?? ''}</span> },
  ];
  if (may('admin')) {
    columns.push({
      head: 'Actions',
      kind: 'actions',
      cell: (license) => (
        <LicenseChanges org={org} license={license} onDone={(after) => onDone(license, after)} />
      ),
    });
  }
  return (
    <div class="card flush">
      <Table
        caption="Licenses"
        columns={columns}
        rows={pages.items}
        keyOf={({ id }) => id}
        isBusy={pages.isBusy}
      />
    </div>
  );
}

function Never() {
  return <span class="faint">never</span>;
}
