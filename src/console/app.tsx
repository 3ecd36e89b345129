import { Shell } from './parts/shell.js';
import { Toasts } from './parts/toasts.js';
import { route, type View } from './state/route.js';
import { identity } from './state/session.js';
import { EventsView } from './views/events.js';
import { LicensesView } from './views/licenses.js';
import { NodesView } from './views/nodes.js';
import { OrgsView } from './views/orgs.js';
import { OverviewView } from './views/overview.js';
import { SessionsView } from './views/sessions.js';
import { SignInView } from './views/sign-in.js';
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
  const { org, view } = route.value;
  if (org === null) {
    return (
      <Shell>
        <OrgsView />
      </Shell>
    );
  }
  const View = viewOf[view];
  return (
    <Shell>
      <View key={org} org={org} />
    </Shell>
  );
}
