import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { AuditEvent } from '../../protocol/events.js';
import { call, fromPage, orgPath, Refusal } from '../api/client.js';
import type { Session } from '../api/types.js';
import { counted, shortId } from '../format.js';
import { Icon } from '../parts/icon.js';
import { LiveBadge } from '../parts/live-badge.js';
import { MachineName } from '../parts/machine.js';
import { Empty, Failure, Page } from '../parts/page.js';
import { Pager, type Pages, usePages } from '../parts/pages.js';
import { SearchBox } from '../parts/search-box.js';
import { type Column, Table } from '../parts/table.js';
import { Time } from '../parts/time.js';
import { areEventsLive, followEvents } from '../state/live.js';
import { hrefOf } from '../state/route.js';
import { may } from '../state/session.js';
import { EvictDialog } from './evict-dialog.js';

/** Who is in: searched at the server, page by page; what is on the screen follows the events. */
export function SessionsView({ org }: { readonly org: string }) {
  const [prefix, setPrefix] = useState('');
  const pages = usePages<Session>(orgPath(org, 'sessions'), { user: prefix });
  const { newcomers, refresh } = useLiveRows(org, prefix, pages);
  const [evicting, setEvicting] = useState<Session | null>(null);
  return (
    <Page
      title="Sessions"
      intro="Who has a seat at this moment, and on which machine."
      actions={
        <>
          <a class="button" href={fromPage(orgPath(org, 'history-export'))} download>
            <Icon name="download" /> Export past
          </a>
          <button type="button" class="button" onClick={refresh}>
            <Icon name="refresh" /> Refresh
          </button>
        </>
      }
    >
      <div class="bar">
        <SearchBox label="Find a user" placeholder="User begins with…" onSearch={setPrefix} />
        {newcomers > 0 && (
          <button type="button" class="link" onClick={refresh}>
            {counted(newcomers, 'newcomer')} since: refresh
          </button>
        )}
        <LiveBadge isLive={areEventsLive.value && pages.error === null} />
      </div>
      <Failure error={pages.error} />
      <SessionList org={org} prefix={prefix} pages={pages} onEvict={setEvicting} />
      <Pager pages={pages} label="Pages of sessions" />
      {evicting !== null && (
        <EvictDialog
          org={org}
          session={evicting}
          onDone={() => pages.update((items) => items.filter(({ user }) => user !== evicting.user))}
          onClose={() => setEvicting(null)}
        />
      )}
    </Page>
  );
}

function SessionList(props: {
  readonly org: string;
  readonly prefix: string;
  readonly pages: Pages<Session>;
  readonly onEvict: (session: Session) => void;
}) {
  const { org, prefix, pages, onEvict } = props;
  if (pages.items.length === 0 && pages.isKnown) {
    return prefix === '' ? (
      <Empty title="Nobody is in">A session appears here as soon as a user's program connects.</Empty>
    ) : (
      <Empty title={`No session of a user that begins with “${prefix}”`}>
        Capitals count in names of users.
      </Empty>
    );
  }
  const columns: Column<Session>[] = [
    { head: 'User', cell: ({ user }) => <a href={hrefOf(org, 'users', user)}>{user}</a> },
    { head: 'Machine', cell: ({ machine }) => <MachineName machine={machine} /> },
    { head: 'Since', cell: ({ since }) => <Time at={since} /> },
    { head: 'Last at work', cell: ({ activeAt }) => activeAt !== null && <Time at={activeAt} /> },
    { head: 'Served by', cell: (session) => <Place session={session} /> },
  ];
  if (may('operator')) {
    columns.push({
      head: 'Action',
      kind: 'actions',
      cell: (session) => (
        <button
          type="button"
          class="button small"
          aria-label={`Evict ${session.user}`}
          onClick={() => onEvict(session)}
        >
          Evict
        </button>
      ),
    });
  }
  return (
    <div class="card flush">
      <Table
        caption="Live sessions"
        columns={columns}
        rows={pages.items}
        keyOf={({ user }) => user}
        isBusy={pages.isBusy}
      />
    </div>
  );
}

/** The node, or until when the seat is taken along; and whether several programs share it. */
function Place({ session: { nodeId, onLeaveUntil, shared } }: { readonly session: Session }) {
  if (onLeaveUntil !== null)
    return (
      <>
        taken along until <Time at={onLeaveUntil} />
      </>
    );
  return (
    <>
      <code title={nodeId}>{shortId(nodeId)}</code>
      {shared && ' (shared)'}
    </>
  );
}

/** Asked again after an event: how a user's session stands is the server's to tell, not the event's. */
const ASK_AFTER_MS = 150;

/** Keeps the rows that are shown true, and counts users who came in since and are not among them. */
function useLiveRows(org: string, prefix: string, pages: Pages<Session>) {
  const [newcomers, setNewcomers] = useState<ReadonlySet<string>>(new Set());
  const latest = useRef({ pages, prefix });
  latest.current = { pages, prefix };
  const refresh = useCallback(() => {
    setNewcomers(new Set());
    latest.current.pages.refresh();
  }, []);

  useEffect(() => {
    const asking = new Map<string, ReturnType<typeof setTimeout>>();

    async function askAbout(user: string): Promise<void> {
      asking.delete(user);
      const session = await call<Session>('GET', orgPath(org, 'sessions', user)).catch((error) => {
        if (error instanceof Refusal && error.status === 404) return null;
        throw error;
      });
      latest.current.pages.update((items) =>
        items.flatMap((one) => (one.user !== user ? [one] : session === null ? [] : [session])),
      );
    }

    const moving = new Set<string>();
    function onEach({ type, user, reason }: AuditEvent): void {
      if (user === undefined) return;
      if (latest.current.pages.items.some((one) => one.user === user)) {
        if (!asking.has(user))
          asking.set(
            user,
            setTimeout(() => void askAbout(user).catch(refresh), ASK_AFTER_MS),
          );
      } else if (type === 'session.ended' && (reason === 'taken_over' || reason === 'superseded')) {
        // The grant that follows is of somebody who was in already.
        moving.add(user);
      } else if (
        type === 'session.granted' &&
        !moving.delete(user) &&
        user.startsWith(latest.current.prefix)
      ) {
        setNewcomers((before) => new Set(before).add(user));
      }
    }

    // Of what happened while nobody followed no event comes: all rows are asked for anew.
    const stop = followEvents(org, { onEach, onOpen: refresh });
    return () => {
      for (const timer of asking.values()) clearTimeout(timer);
      stop();
    };
  }, [org, refresh]);

  return { newcomers: newcomers.size, refresh };
}
