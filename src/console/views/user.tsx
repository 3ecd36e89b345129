import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { AdminAnswers } from '../../protocol/admin-answers.js';
import type { AuditEvent } from '../../protocol/events.js';
import type { HistoryLine } from '../../protocol/history.js';
import { call, orgPath, Refusal } from '../api/client.js';
import type { License, SeenMachine, Session } from '../api/types.js';
import { dateText, numberText, shortId } from '../format.js';
import { Badge, StatusBadge } from '../parts/badge.js';
import { EventList } from '../parts/event-list.js';
import { MachineName } from '../parts/machine.js';
import { Empty, Failure, Page } from '../parts/page.js';
import { type Column, Table } from '../parts/table.js';
import { Time } from '../parts/time.js';
import { useAgain } from '../state/asking.js';
import { followEvents } from '../state/live.js';
import { go, hrefOf, route } from '../state/route.js';
import { may } from '../state/session.js';
import { EvictDialog } from './evict-dialog.js';
import { UserHistory } from './history.js';
import { LicenseChanges } from './license-changes.js';

interface UserData {
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
  const [isEvicting, setEvicting] = useState(false);
  // The org may keep the user under another spelling than the link has.
  const known = data?.license?.user ?? data?.session?.user ?? user;
  useEffect(() => {
    if (known !== user) go(hrefOf(org, 'users', known), { replace: true });
  }, [org, user, known]);
  return (
    <Page title={user} intro="License, seat and machines of this user.">
      <Failure error={error} />
      {data !== null && (
        <div class="grid two">
          <LicenseCard org={org} license={data.license} onChanged={refresh} />
          <SeatCard session={data.session} onEvict={() => setEvicting(true)} />
          <section class="card flush wide" aria-labelledby="machines">
            <h2 id="machines">Machines</h2>
            <Machines machines={data.machines} session={data.session} />
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
      )}
      {isEvicting && data?.session && (
        <EvictDialog org={org} session={data.session} onDone={refresh} onClose={() => setEvicting(false)} />
      )}
    </Page>
  );
}

function useUser(org: string, user: string) {
  const [data, setData] = useState<UserData | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [turn, setTurn] = useState(0);
  const refresh = useCallback(() => setTurn((before) => before + 1), []);
  useAgain(error, refresh);

  useEffect(() => {
    let isGone = false;
    load(org, user).then(
      (loaded) => {
        if (isGone) return;
        setData(loaded);
        setError(null);
      },
      (failure: Error) => {
        if (!isGone) setError(failure);
      },
    );
    return () => {
      isGone = true;
    };
  }, [org, user, turn]);

  useEffect(() => {
    const onEach = (event: AuditEvent) => {
      if (event.user === user) refresh();
    };
    return followEvents(org, { onEach, onOpen: refresh });
  }, [org, user, refresh]);
  return { data, error, refresh };
}

async function load(org: string, user: string): Promise<UserData> {
  const [license, session, machines, events, history] = await Promise.all([
    orNull(call<License>('GET', orgPath(org, 'licenses', user))),
    orNull(call<Session>('GET', orgPath(org, 'sessions', user))),
    orNull(call<AdminAnswers['listMachines']>('GET', orgPath(org, 'machines', user))),
    call<{ readonly items: readonly AuditEvent[] }>(
      'GET',
      `${orgPath(org, 'events')}?limit=${EVENTS_SHOWN}&user=${encodeURIComponent(user)}`,
    ),
    call<{ readonly items: readonly HistoryLine[] }>(
      'GET',
      `${orgPath(org, 'history', user)}?limit=${SESSIONS_SHOWN}`,
    ),
  ]);
  return {
    ...{ license, session, machines: machines?.items ?? [] },
    events: events.items,
    history: history.items,
  };
}

/** What is not there is no failure here. */
async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  return answer.catch((error) => {
    if (error instanceof Refusal && error.status === 404) return null;
    throw error;
  });
}

function Facts({ facts }: { readonly facts: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function LicenseCard(props: {
  readonly org: string;
  readonly license: License | null;
  readonly onChanged: () => void;
}) {
  const { org, license, onChanged } = props;
  function onDone(after: License): void {
    if (after.user !== license?.user) go(hrefOf(org, 'users', after.user));
    onChanged();
  }
  return (
    <section class="card" aria-labelledby="license">
      <div class="card-head">
        <h2 id="license">License</h2>
        {license !== null && <LicenseChanges org={org} license={license} onDone={onDone} />}
      </div>
      {license === null ? (
        <Empty title="No license">Issue one on the page of licenses.</Empty>
      ) : (
        <Facts
          facts={[
            ['Status', <StatusBadge key="status" status={license.status} />],
            ['Issued', <Time key="issued" at={license.issuedAt} />],
            [
              'Ends',
              license.expiresAt === null ? 'never' : (license.expiresOn ?? dateText(license.expiresAt)),
            ],
            [
              'Last used',
              license.lastUsedAt === null ? 'never' : <Time key="used" at={license.lastUsedAt} />,
            ],
            ...(license.note === null ? [] : [['Note', license.note] as const]),
          ]}
        />
      )}
    </section>
  );
}

function SeatCard({ session, onEvict }: { readonly session: Session | null; readonly onEvict: () => void }) {
  return (
    <section class="card" aria-labelledby="seat">
      <div class="card-head">
        <h2 id="seat">Seat</h2>
        {session !== null && may('operator') && (
          <button type="button" class="button small" onClick={onEvict}>
            Evict
          </button>
        )}
      </div>
      {session === null ? (
        <Empty title="Not in at present">The seat is free for any machine of this user.</Empty>
      ) : (
        <Facts
          facts={[
            ['Machine', <MachineName key="machine" machine={session.machine} />],
            ['Since', <Time key="since" at={session.since} />],
            ['Session', <code key="session">{session.sessionId}</code>],
            ['Epoch', <code key="epoch">{session.epoch}</code>],
            [
              'Node',
              <code key="node" title={session.nodeId}>
                {shortId(session.nodeId)}
              </code>,
            ],
          ]}
        />
      )}
    </section>
  );
}

function Machines(props: { readonly machines: readonly SeenMachine[]; readonly session: Session | null }) {
  const { machines, session } = props;
  if (machines.length === 0) return <Empty title="No machine was seen yet" />;
  const columns: Column<SeenMachine>[] = [
    { head: 'Machine', cell: (machine) => <MachineName machine={machine} /> },
    {
      head: 'Id',
      cell: ({ id, double }) => (
        <span class="two-lines">
          <code>{id}</code>
          {double && (
            <small title="Two programs with this id ran at once: a copied machine, most likely.">
              <Badge tone="warn" text="double" /> {double.names.join(' and ')} at once,{' '}
              <Time at={double.at} />
            </small>
          )}
        </span>
      ),
    },
    {
      head: 'Last seen',
      cell: ({ id, lastSeen }) => (id === session?.machine.id ? 'in use now' : <Time at={lastSeen} />),
    },
    { head: 'First seen', cell: ({ firstSeen }) => <Time at={firstSeen} /> },
    { head: 'Times', kind: 'number', cell: ({ times }) => numberText(times) },
  ];
  return <Table caption="Machines of this user" columns={columns} rows={machines} keyOf={({ id }) => id} />;
}
