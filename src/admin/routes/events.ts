import { Type } from 'typebox';
import { eventNamed, eventNames } from '../../protocol/event-types.js';
import { StoreUnavailable } from '../../store/errors.js';
import type { StoredEvent } from '../../store/event-entries.js';
import { type EventFilter, type Events, matches } from '../../store/events.js';
import type { Store } from '../../store/store.js';
import { answerPage } from '../cursors.js';
import { nameFile } from '../file-names.js';
import { momentsOf } from '../moments.js';
import { Problem } from '../problem.js';
import { route } from '../route.js';
import { from, object, pageOf, paging, text, time, timeText, until } from '../schemas.js';
import { KEEP_ALIVE, pause, serverSentEvent } from '../streams.js';

const tag = 'events';
const all = '/v1/admin/orgs/{org}/events';
const FOLLOW_EVERY_MS = 250;
const KEEP_ALIVE_EVERY_MS = 15_000;
const BATCH = 500;
const FIRST = '0-0';
/** No ms has so many events. */
const LAST_SEQUENCE = 9_999_999_999;
const unknownType = 'There is no such event type: the answer lists them';

const filter = {
  type: Type.Optional(text('Only this type: docs/events.md lists them.')),
  user: Type.Optional(text('Only this user.')),
  machine: Type.Optional(text('Only this machine’s id.')),
  reason: Type.Optional(text('Only this reason.')),
  actor: Type.Optional(text('Only what this one did: user, broker, or the sub of an admin token.')),
  from: Type.Optional(from('Only from then on.')),
  until: Type.Optional(until('Only until then.')),
};
const eventSchema = object({
  id: Type.String({ description: 'Rises with every event.' }),
  type: Type.String(),
  at: time('When it happened, by Redis’s clock.'),
  actor: Type.Optional(Type.String({ description: 'user, broker, or the sub of an admin token.' })),
  role: Type.Optional(Type.String({ description: 'The role of an actor who came with an admin token.' })),
  user: Type.Optional(Type.String()),
  userKey: Type.Optional(
    Type.String({ description: 'In place of `user` where the user has been forgotten.' }),
  ),
  machine: Type.Optional(Type.String()),
  reason: Type.Optional(Type.String()),
  sessionId: Type.Optional(Type.String()),
  epoch: Type.Optional(Type.Integer()),
  node: Type.Optional(Type.String()),
  details: Type.Record(Type.String(), Type.String(), { description: 'What else belongs to this type.' }),
});

type Query = { readonly [name in keyof typeof filter]?: string };

export const eventRoutes = [
  route({
    id: 'listEvents',
    method: 'GET',
    path: all,
    role: 'viewer',
    tag,
    summary: 'The audit trail, newest first. A page may be shorter than `limit` while `next` goes on.',
    query: { ...paging, ...filter },
    success: { status: 200, schema: pageOf(eventSchema) },
    problems: [
      { status: 400, when: 'The cursor is none of this list' },
      { status: 400, when: unknownType },
    ],
    handle: async (call, { store }) => {
      const wanted = await filterOf(call.query, call.params.org, store);
      return answerPage(
        call,
        (cursor, limit) => store.events.page(call.params.org, wanted, cursor, limit),
        eventOf,
      );
    },
  }),
  route({
    id: 'followEvents',
    method: 'GET',
    path: `${all}/stream`,
    role: 'viewer',
    tag,
    summary: 'The audit trail as it is written. Each message’s id is the event’s.',
    headers: {
      'Last-Event-ID': 'Goes on after this event; without it the stream begins with the next one.',
    },
    query: filter,
    success: { status: 200, streams: ['text/event-stream'] },
    problems: [
      { status: 400, when: 'The Last-Event-ID is none' },
      { status: 400, when: unknownType },
    ],
    handle: async (call, { store, streams }) => {
      const { org } = call.params;
      const given = call.request.headers['last-event-id'];
      const after = typeof given === 'string' ? given : await store.events.lastId(org);
      // Fails now rather than in the stream.
      await store.events.after(org, after, 1);
      const wanted = await filterOf(call.query, org, store);
      return streams.answer(call, 'text/event-stream', (signal) =>
        follow(store.events, org, after, wanted, signal),
      );
    },
  }),
  route({
    id: 'exportEvents',
    method: 'GET',
    path: `${all}/export`,
    role: 'viewer',
    cost: 'export',
    tag,
    summary: 'All of the audit trail that is kept, oldest first, one JSON object a line.',
    query: filter,
    success: { status: 200, streams: ['application/x-ndjson'] },
    problems: [{ status: 400, when: unknownType }],
    handle: async (call, { store, streams }) => {
      const { org } = call.params;
      const wanted = await filterOf(call.query, org, store);
      await nameFile(call.reply, { org, user: call.query.user, what: 'events', extension: 'ndjson' }, store);
      return streams.answer(call, 'application/x-ndjson', (signal) =>
        lines(store.events, org, wanted, signal),
      );
    },
  }),
];

async function* follow(
  events: Events,
  org: string,
  from: string,
  wanted: EventFilter,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let after = from;
  let quietMs = 0;
  // The first bytes tell that the stream stands.
  yield KEEP_ALIVE;
  do {
    const found = await events.after(org, after, BATCH).catch(whileAway);
    after = found.at(-1)?.id ?? after;
    const chunk = found
      .filter((event) => matches(event, wanted))
      .map((event) => serverSentEvent(eventOf(event), { id: event.id }))
      .join('');
    quietMs = chunk === '' ? quietMs + FOLLOW_EVERY_MS : 0;
    if (chunk !== '') yield chunk;
    if (quietMs >= KEEP_ALIVE_EVERY_MS) {
      yield KEEP_ALIVE;
      quietMs = 0;
    }
  } while (await pause(FOLLOW_EVERY_MS, signal));
}

/** While Redis is out of reach nothing is written either: the stream waits. */
function whileAway(error: unknown): readonly StoredEvent[] {
  if (error instanceof StoreUnavailable) return [];
  throw error;
}

async function* lines(
  events: Events,
  org: string,
  wanted: EventFilter,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const { fromMs = 0, untilMs = Number.POSITIVE_INFINITY } = wanted;
  for (let after = fromMs > 0 ? `${fromMs - 1}-${LAST_SEQUENCE}` : FIRST; !signal.aborted; ) {
    const found = await events.after(org, after, BATCH);
    yield found
      .filter((event) => matches(event, wanted))
      .map((event) => `${JSON.stringify(eventOf(event))}\n`)
      .join('');
    const last = found.at(-1);
    if (last === undefined || found.length < BATCH || last.at >= untilMs) return;
    after = last.id;
  }
}

function eventOf({ at, ...event }: StoredEvent) {
  return { ...event, at: timeText(at) };
}

/** The filter without the fields of paging. Throws a Problem where there is no such type. */
async function filterOf(query: Query, org: string, store: Store): Promise<EventFilter> {
  const { type, user, machine, reason, actor } = query;
  const name = type === undefined ? undefined : eventNamed(type);
  if (name === null) {
    const fields = [{ field: 'type', problem: `must be one of ${eventNames.join(', ')}` }];
    throw new Problem(400, 'unknown_event_type', `there is no event type ${type}`, { fields });
  }
  const given = { type: name, user, machine, reason, actor, ...(await momentsOf(query, org, store)) };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
