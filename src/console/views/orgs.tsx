import { useEffect, useState } from 'preact/hooks';
import type { OrgBrief } from '../api/types.js';
import { numberText } from '../format.js';
import { Icon } from '../parts/icon.js';
import { Empty, Failure, Page } from '../parts/page.js';
import { Pager, usePages } from '../parts/pages.js';
import { type Column, Table } from '../parts/table.js';
import { go, hrefOf } from '../state/route.js';
import { identity, may } from '../state/session.js';
import { NewOrgDialog } from './new-org-dialog.js';

const columns: readonly Column<OrgBrief>[] = [
  { head: 'Org', cell: ({ org }) => <a href={hrefOf(org, 'overview')}>{org}</a> },
  { head: 'Active now', kind: 'number', cell: ({ active }) => numberText(active) },
  { head: 'Issued', kind: 'number', cell: ({ issued }) => numberText(issued) },
  {
    head: 'Quota',
    kind: 'number',
    cell: ({ quota }) => (quota === null ? 'none' : numberText(quota)),
  },
  { head: 'Peak', kind: 'number', cell: ({ peak }) => numberText(peak) },
];

/** The list was shown once since the page was opened: whoever comes back wants the list. */
let isReturn = false;

/** All orgs, to choose one. At first, where there is only one, it is chosen already. */
export function OrgsView() {
  const [isCreating, setCreating] = useState(false);
  const pages = usePages<OrgBrief>('/v1/admin/orgs', {});
  const own = identity.value?.org ?? null;
  const isOnly = !isReturn && pages.number === 1 && !pages.hasNext && pages.items.length === 1;
  const only = own ?? (isOnly ? pages.items[0]?.org : null);

  useEffect(() => {
    if (only) go(hrefOf(only, 'overview'), { replace: true });
    if (pages.isKnown) isReturn = true;
  }, [only, pages.isKnown]);

  return (
    <Page
      title="Orgs"
      intro="Each has licenses, sessions and events of its own."
      actions={
        may('owner') && (
          <button type="button" class="button primary" onClick={() => setCreating(true)}>
            <Icon name="add" /> New org
          </button>
        )
      }
    >
      {isCreating && <NewOrgDialog onClose={() => setCreating(false)} />}
      <Failure error={pages.error} />
      {pages.items.length === 0 && pages.isKnown ? (
        <Empty title="There is no org yet">
          An org begins to exist when its first license is issued, or when one of its users gets a seat.
        </Empty>
      ) : (
        <div class="card flush">
          <Table
            caption="Orgs"
            columns={columns}
            rows={pages.items}
            keyOf={({ org }) => org}
            isBusy={pages.isBusy}
          />
        </div>
      )}
      <Pager pages={pages} label="Pages of orgs" />
    </Page>
  );
}
