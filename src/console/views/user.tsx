import { useEffect, useState } from 'preact/hooks';
import type { AdminAnswers } from '../../protocol/admin-answers.js';
import type { AuditEvent } from '../../protocol/events.js';
import type { HistoryLine } from '../../protocol/history.js';
import { call, isMissing, orgPath, withQuery } from '../api/client.js';
import type { License, SeenMachine, Session, UserFacts } from '../api/types.js';
import { EventList } from '../parts/event-list.js';
import { Empty, Failure, Page } from '../parts/page.js';
import { useAnswer } from '../state/answer.js';
import { followEvents } from '../state/live.js';
import { go, hrefOf, route } from '../state/route.js';
import { may } from '../state/session.js';
import { EvictDialog } from './evict-dialog.js';
import { UserHistory } from './history.js';
import { HoldDialog } from './hold-dialog.js';
import { IssueDialog } from './issue-dialog.js';
import { HoldNotice, LicenseCard, SeatCard, StatusNotice } from './user-cards.js';
import { Machines } from './user-machines.js';
import { UserMenu } from './user-menu.js';

interface UserData {
  readonly facts: UserFacts;
  readonly license: License | null;
  readonly session: Session | null;
  readonly machines: readonly SeenMachine[];
  readonly events: readonly AuditEvent[];
  readonly history: readonly HistoryLine[];
}

const EVENTS_SHOWN = 20;
const SESSIONS_SHOWN = 20;

/** All about one user: license, seat, machines, and what happened. */
export function UserView({ org }: { readonly org: string }) {
  const user = route.value.item ?? '';
  const { data, error, refresh } = useUser(org, user);
  // The org may keep the user under another spelling than the link has.
  const known = data?.license?.user ?? data?.facts.user ?? user;
  useEffect(() => {
    if (known !== user) go(hrefOf(org, 'users', known), { replace: true });
  }, [org, user, known]);
  return (
    <Page
      title={user}
      intro="License, seat and machines of this user."
      actions={data?.facts.isKnown && <UserMenu org={org} user={user} onDone={refresh} />}
    >
      <Failure error={error} />
      {data?.facts.isKnown === false && <UnknownUser org={org} user={user} onIssued={refresh} />}
      {data?.facts.isKnown && <KnownUser org={org} user={user} data={data} onChanged={refresh} />}
    </Page>
  );
}

function UnknownUser({ org, user, onIssued }: { org: string; user: string; onIssued: () => void }) {
  const [isIssuing, setIssuing] = useState(false);
  return (
    <>
      <Empty title={`Nothing is known of “${user}” in ${org}`}>
        No license, no session and no past. The name counts as it stands in the user’s token, capitals too.
      </Empty>
      {may('admin') && (
        <button type="button" class="button primary" onClick={() => setIssuing(true)}>
          Issue a license to {user}
        </button>
      )}
      {isIssuing && <IssueDialog org={org} user={user} onDone={onIssued} onClose={() => setIssuing(false)} />}
    </>
  );
}

function KnownUser(props: {
  readonly org: string;
  readonly user: string;
  readonly data: UserData;
  readonly onChanged: () => void;
}) {
  const { org, user, data, onChanged } = props;
  const { license, session, facts } = data;
  const [dialog, setDialog] = useState<'evict' | 'hold' | null>(null);
  const close = () => setDialog(null);
  const mayCome = facts.hold === null && (license === null || license.status === 'active');
  return (
    <>
      <HoldNotice org={org} user={user} hold={facts.hold} onChanged={onChanged} />
      <StatusNotice license={license} />
      <div class="grid two">
        <LicenseCard org={org} user={user} license={license} onChanged={onChanged} />
        <SeatCard
          session={session}
          mayCome={mayCome}
          onEvict={() => setDialog('evict')}
          onHold={() => setDialog('hold')}
        />
        <section class="card flush wide" aria-labelledby="machines">
          <h2 id="machines">Machines</h2>
          <Machines machines={data.machines} session={session} />
        </section>
        <UserHistory org={org} user={user} lines={data.history} />
        <section class="card wide" aria-labelledby="history">
          <h2 id="history">What happened</h2>
          {data.events.length === 0 ? (
            <Empty title="Nothing is on record" />
          ) : (
            <EventList org={org} events={data.events} />
          )}
        </section>
      </div>
      {dialog === 'evict' && session !== null && (
        <EvictDialog org={org} session={session} onDone={onChanged} onClose={close} />
      )}
      {dialog === 'hold' && <HoldDialog org={org} user={user} onDone={onChanged} onClose={close} />}
    </>
  );
}

function useUser(org: string, user: string) {
  const { value, error, refresh } = useAnswer<UserData>(orgPath(org, 'users', user), {
    ask: (signal) => load(org, user, signal),
  });
  useEffect(() => {
    const onEach = (event: AuditEvent) => {
      if (event.user === user) refresh();
    };
    return followEvents(org, { onEach, onOpen: refresh });
  }, [org, user, refresh]);
  return { data: value, error, refresh };
}

async function load(org: string, user: string, signal: AbortSignal): Promise<UserData> {
  const get = <T,>(path: string) => call<T>('GET', path, { signal });
  const events = withQuery(orgPath(org, 'events'), { limit: EVENTS_SHOWN, user });
  const history = withQuery(orgPath(org, 'history', user), { limit: SESSIONS_SHOWN });
  const [facts, license, session, machines, happened, past] = await Promise.all([
    get<UserFacts>(orgPath(org, 'users', user)),
    orNull(get<License>(orgPath(org, 'licenses', user))),
    orNull(get<Session>(orgPath(org, 'sessions', user))),
    get<AdminAnswers['listMachines']>(orgPath(org, 'machines', user)),
    get<{ readonly items: readonly AuditEvent[] }>(events),
    get<{ readonly items: readonly HistoryLine[] }>(history),
  ]);
  return {
    ...{ facts, license, session, machines: machines.items },
    ...{ events: happened.items, history: past.items },
  };
}

/** What the user does not have is no failure. That the org does not exist is one. */
async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  return answer.catch((error) => {
    if (isMissing(error) && !isMissing(error, 'org')) return null;
    throw error;
  });
}
