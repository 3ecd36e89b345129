import { useEffect, useState } from 'preact/hooks';
import type { AuditEvent } from '../../protocol/events.js';
import { fromPage, orgPath } from '../api/client.js';
import { eventTypes } from '../event-words.js';
import { EventList } from '../parts/event-list.js';
import { SelectField } from '../parts/field.js';
import { Icon } from '../parts/icon.js';
import { LiveBadge } from '../parts/live-badge.js';
import { Empty, Failure, Page, Waiting } from '../parts/page.js';
import { Pager, usePages } from '../parts/pages.js';
import { SearchBox } from '../parts/search-box.js';
import { areEventsKnown, areEventsLive, events, followEvents } from '../state/live.js';

const typeOptions = [
  { value: '', label: 'all types' },
  ...eventTypes.map((type) => ({ value: type, label: type })),
];

/** The audit trail, newest first: live at its head, or page by page into the past. */
export function EventsView({ org }: { readonly org: string }) {
  const [type, setType] = useState('');
  const [user, setUser] = useState('');
  const [isPast, setPast] = useState(false);
  return (
    <Page
      title="Events"
      intro="Who did what to which seat or license, and why."
      actions={
        <>
          <a class="button" href={fromPage(orgPath(org, 'events', 'export'))} download>
            <Icon name="download" /> Export
          </a>
          <button type="button" class="button" onClick={() => setPast(!isPast)}>
            <Icon name={isPast ? 'play' : 'pause'} /> {isPast ? 'Back to live' : 'Pause'}
          </button>
        </>
      }
    >
      <div class="bar">
        <SelectField label="Type" value={type} onChange={setType} options={typeOptions} />
        <SearchBox label="Only of a user" placeholder="Only of user…" onSearch={setUser} />
        {isPast ? null : <LiveBadge isLive={areEventsLive.value} />}
      </div>
      {isPast ? (
        <PastEvents org={org} type={type} user={user} />
      ) : (
        <LiveEvents org={org} type={type} user={user} />
      )}
    </Page>
  );
}

interface ListProps {
  readonly org: string;
  readonly type: string;
  readonly user: string;
}

function LiveEvents({ org, type, user }: ListProps) {
  useEffect(() => followEvents(org), [org]);
  const shown = events.value.filter(
    (event) => (type === '' || event.type === type) && (user === '' || event.user === user),
  );
  if (shown.length === 0) {
    if (!areEventsKnown.value) return <Waiting />;
    return (
      <Empty title="Nothing to show yet">
        Events appear here the moment they happen. Pause to page through what happened before.
      </Empty>
    );
  }
  return (
    // Read on demand: a busy org would keep a screen reader talking.
    <section class="card" aria-label="Live events" aria-live="off">
      <EventList org={org} events={shown} hasDetails />
    </section>
  );
}

function PastEvents({ org, type, user }: ListProps) {
  const pages = usePages<AuditEvent>(orgPath(org, 'events'), { type, user });
  return (
    <>
      <Failure error={pages.error} />
      {pages.items.length === 0 && pages.isKnown ? (
        <Empty title="No such event is on record">
          The oldest ones are dropped once their limit is reached.
        </Empty>
      ) : (
        <section class="card" aria-label="Events" aria-busy={pages.isBusy}>
          <EventList org={org} events={pages.items} hasDetails />
        </section>
      )}
      <Pager pages={pages} label="Pages of events" />
    </>
  );
}
