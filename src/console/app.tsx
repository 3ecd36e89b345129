import { isMissing } from './api/client.js';
import { Shell } from './parts/shell.js';
import { Toasts } from './parts/toasts.js';
import { OrgContext, useOrgAnswer } from './state/org.js';
import { route, type View } from './state/route.js';
import { identity } from './state/session.js';
import { EventsView } from './views/events.js';
import { LicensesView } from './views/licenses.js';
import { NodesView } from './views/nodes.js';
import { OrgsView } from './views/orgs.js';
import { OverviewView } from './views/overview.js';
import { SessionsView } from './views/sessions.js';
import { SettingsView } from './views/settings.js';
import { SignInView } from './views/sign-in.js';
import { UnknownOrg, UnknownPage } from './views/unknown.js';
import { UserView } from './views/user.js';
import { WebhooksView } from './views/webhooks.js';

type OrgView = (props: { readonly org: string }) => preact.JSX.Element;

const viewOf: Readonly<Record<View, OrgView>> = {
  overview: OverviewView,
  sessions: SessionsView,
  licenses: LicensesView,
  users: UserView,
  events: EventsView,
  nodes: NodesView,
  webhooks: WebhooksView,
  settings: SettingsView,
};

export function App() {
  return (
    <>
      <Screen />
      <Toasts />
    </>
  );
}

function Screen() {
  const who = identity.value;
  if (who === undefined) return <p class="loading">Loading…</p>;
  if (who === null) return <SignInView />;
  const { org } = route.value;
  return <Shell>{org === null ? <OrgsView /> : <OrgPages key={org} org={org} />}</Shell>;
}

function OrgPages({ org }: { readonly org: string }) {
  const answer = useOrgAnswer(org);
  const { view } = route.value;
  if (isMissing(answer.error, 'org')) return <UnknownOrg org={org} />;
  const View = view === null ? UnknownPage : viewOf[view];
  return (
    <OrgContext.Provider value={answer}>
      <View org={org} />
    </OrgContext.Provider>
  );
}
