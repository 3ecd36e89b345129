import { useState } from 'preact/hooks';
import { fromPage, orgPath } from '../api/client.js';
import type { License, Org } from '../api/types.js';
import { numberText } from '../format.js';
import { SelectField } from '../parts/field.js';
import { Icon } from '../parts/icon.js';
import { Empty, Failure, Page } from '../parts/page.js';
import { Pager, usePages } from '../parts/pages.js';
import { useOrg } from '../state/org.js';
import { go, hrefOf, route } from '../state/route.js';
import { may } from '../state/session.js';
import { ImportDialog } from './import-dialog.js';
import { IssueDialog } from './issue-dialog.js';
import { LicenseTable } from './license-table.js';
import { UserJump } from './user-jump.js';
import './licenses.css';

const filters = ['issued', 'active', 'suspended', 'expired', 'revoked', 'unused'] as const;
type Filter = (typeof filters)[number];

const spans = [7, 30, 90, 365].map((days) => ({ value: String(days), label: `for ${days} days` }));

/** Licenses: who has one, who does not use it, and everything that changes one. */
export function LicensesView({ org }: { readonly org: string }) {
  const filter = filters.find((one) => one === route.value.query.show) ?? 'issued';
  const [days, setDays] = useState('30');
  const [dialog, setDialog] = useState<'one' | 'many' | null>(null);
  const { value: counts, refresh: refreshCounts } = useOrg();
  const pages = usePages<License>(
    filter === 'unused' ? orgPath(org, 'unused-licenses') : orgPath(org, 'licenses'),
    // The newest first: what was issued just now is where one looks.
    filter === 'unused' ? { days } : { order: 'newest', ...(filter !== 'issued' && { status: filter }) },
  );
  const refresh = () => {
    pages.refresh();
    refreshCounts();
  };
  function onIssued(): void {
    if (filter !== 'issued') go(hrefOf(org, 'licenses'));
    pages.restart();
    refreshCounts();
  }
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
      {pages.isKnown && pages.items.length === 0 ? (
        <Empty title={emptyWords[filter][0]}>{emptyWords[filter][1]}</Empty>
      ) : (
        <LicenseTable org={org} pages={pages} onChanged={refresh} />
      )}
      <Pager pages={pages} label="Pages of licenses" />
      {dialog === 'one' && <IssueDialog org={org} onDone={onIssued} onClose={() => setDialog(null)} />}
      {dialog === 'many' && <ImportDialog org={org} onDone={onIssued} onClose={() => setDialog(null)} />}
    </Page>
  );
}

function QuotaLine({ org }: { readonly org: Org | undefined }) {
  if (org === undefined) return <>&nbsp;</>;
  const { issued, available, kept } = org.counts;
  const { quota } = org.settings;
  if (quota === null || available === null) return <>{numberText(issued)} issued; this org has no quota.</>;
  return (
    <>
      {numberText(issued)} of {numberText(quota)} issued, {numberText(available)} left
      {kept > 0 && <>, {numberText(kept)} kept by tickets of leaves that were ended by force</>}.
    </>
  );
}

function Actions(props: { readonly org: string; readonly onOpen: (dialog: 'one' | 'many') => void }) {
  const { org, onOpen } = props;
  return (
    <>
      <a class="button" href={fromPage(orgPath(org, 'license-export'))} download>
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

function Filters(props: { readonly org: string; readonly chosen: Filter; readonly counts: Org | undefined }) {
  const { org, chosen, counts } = props;
  const countOf = (filter: Filter): number | undefined => {
    if (counts === undefined) return undefined;
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
