import { Empty, Page } from '../parts/page.js';
import { hrefOf } from '../state/route.js';
import { identity } from '../state/session.js';

/** In place of the pages of an org that does not exist, or that the token is not for. */
export function UnknownOrg({ org }: { readonly org: string }) {
  const own = identity.value?.org ?? null;
  return (
    <Page title="There is no such org">
      <Empty title={`No org is called “${org}”`}>
        {own === null ? (
          <a href="#/">Choose another org</a>
        ) : (
          <>
            Your token is for <a href={hrefOf(own, 'overview')}>{own}</a>.
          </>
        )}
      </Empty>
    </Page>
  );
}

/** In place of a page that does not exist. */
export function UnknownPage({ org }: { readonly org: string }) {
  return (
    <Page title="There is no such page">
      <Empty title="This address leads nowhere">
        <a href={hrefOf(org, 'overview')}>To the overview of {org}</a>
      </Empty>
    </Page>
  );
}
