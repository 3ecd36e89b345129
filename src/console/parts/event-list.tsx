import { useState } from 'preact/hooks';
import type { AuditEvent } from '../../protocol/events.js';
import { wordsFor } from '../event-words.js';
import { absoluteText } from '../format.js';
import { useTimeZone } from '../state/org.js';
import { hrefOf } from '../state/route.js';
import { Badge } from './badge.js';
import { Icon } from './icon.js';
import { Time } from './time.js';
import './event-list.css';

/** Events as sentences. With `hasDetails` each can be opened for what else is known of it. */
export function EventList(props: {
  readonly org: string;
  readonly events: readonly AuditEvent[];
  readonly hasDetails?: boolean;
}) {
  const { org, events, hasDetails = false } = props;
  return (
    <ol class="events">
      {events.map((event) => (
        <EventItem key={event.id} org={org} event={event} hasDetails={hasDetails} />
      ))}
    </ol>
  );
}

function EventItem(props: {
  readonly org: string;
  readonly event: AuditEvent;
  readonly hasDetails: boolean;
}) {
  const { org, event, hasDetails } = props;
  const [isOpen, setOpen] = useState(false);
  const { label, tone, text } = wordsFor(event);
  return (
    <li>
      <Badge text={label} tone={tone} />
      <div class="event-text">
        {whoOf(org, event)} {text}
      </div>
      <Time at={event.at} />
      {hasDetails && (
        <button
          type="button"
          class="icon-button"
          aria-expanded={isOpen}
          aria-label={`Details of ${label} ${event.user ?? ''}`}
          onClick={() => setOpen(!isOpen)}
        >
          <Icon name="next" />
        </button>
      )}
      {isOpen && <Details event={event} />}
    </li>
  );
}

function whoOf(org: string, { user, userKey }: AuditEvent) {
  if (user !== undefined) return <a href={hrefOf(org, 'users', user)}>{user}</a>;
  return userKey === undefined ? null : 'A forgotten user';
}

function Details({ event }: { readonly event: AuditEvent }) {
  const zone = useTimeZone();
  const { id, at, actor, role, machine, sessionId, epoch, node, details } = event;
  const facts = {
    at: absoluteText(at, zone),
    actor,
    role,
    machine,
    sessionId,
    epoch,
    node,
    ...details,
    event: id,
  };
  return (
    <dl>
      {Object.entries(facts)
        .filter(([, value]) => value !== undefined && value !== '')
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{detailText(name, String(value), zone)}</dd>
          </div>
        ))}
    </dl>
  );
}

/** Times stand in events as Unix ms, which nobody reads. */
function detailText(name: string, value: string, zone: string | undefined): string {
  const isTime = (name === 'expiresAt' || name === 'holdUntil') && /^\d{12,14}$/.test(value);
  return isTime ? absoluteText(new Date(Number(value)).toISOString(), zone) : value;
}
