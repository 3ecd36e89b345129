import { Type } from 'typebox';
import type { HistoryLine, SessionLine } from '../../protocol/history.js';
import type { History, PastLine, PastSession, Span } from '../../store/history.js';
import type { Store } from '../../store/store.js';
import { CSV_TYPE, csvLine } from '../csv.js';
import { answerPage } from '../cursors.js';
import { nameFile } from '../file-names.js';
import { momentsOf } from '../moments.js';
import { invalid } from '../problem.js';
import { route } from '../route.js';
import { count, from, nullable, object, pageOf, paging, text, time, timeText, until } from '../schemas.js';

const tag = 'history';
const org = '/v1/admin/orgs/{org}';
const HOUR_MS = 3_600_000;
/** What begins after this is before every end. */
const END_OF_TIME_MS = 999_999_999_999_999;

const span = {
  from: Type.Optional(from('Only what ended, or was refused, from then on.')),
  until: Type.Optional(until('Only what ended, or was refused, until then.')),
};

const sessionSchema = object({
  kind: Type.Literal('session'),
  sessionId: Type.String(),
  began: time('When the seat was granted.'),
  ended: nullable(time('When it ended; null: it goes on.')),
  hours: Type.Number({ minimum: 0, description: 'From the beginning to the end, or until now.' }),
  machine: object({ id: Type.String(), name: Type.Optional(Type.String()) }),
  client: Type.Optional(
    object(
      { name: Type.Optional(Type.String()), version: Type.Optional(Type.String()) },
      { description: 'The program, as it calls itself.' },
    ),
  ),
  address: Type.Optional(Type.String({ description: 'Where the org keeps addresses.' })),
  reason: Type.Optional(Type.String({ description: 'Why it ended.' })),
  actor: Type.Optional(
    Type.String({ description: 'The actor who ended it: user, broker, or the sub of an admin token.' }),
  ),
});
const refusalSchema = object({
  kind: Type.Literal('refusal'),
  at: time('When it was refused.'),
  reason: Type.String(),
  machine: object({ id: Type.String() }),
  count: count('How many refusals of one minute the line stands for; the last had this reason and machine.'),
});

type Query = { readonly from?: string; readonly until?: string };

export const historyRoutes = [
  route({
    id: 'listHistory',
    method: 'GET',
    path: `${org}/history/{user}`,
    role: 'viewer',
    tag,
    summary:
      'The sessions that a user had and what was refused, newest first: 400 days, at most 5,000 lines. A session that goes on comes first.',
    query: { ...paging, ...span },
    success: { status: 200, schema: pageOf(Type.Union([sessionSchema, refusalSchema])) },
    problems: [{ status: 400, when: 'The cursor is none of this list' }],
    handle: async (call, { store }) => {
      const chosen = await spanOf(call.query, call.params.org, store);
      const nowMs = store.redisClock.nowMs() ?? Date.now();
      return answerPage(
        call,
        (cursor, limit) => store.history.page(call.params.org, call.params.user, chosen, cursor, limit),
        (line) => viewOf(line, nowMs),
      );
    },
  }),
  route({
    id: 'exportHistory',
    method: 'GET',
    path: `${org}/history-export`,
    role: 'viewer',
    cost: 'export',
    tag,
    summary: 'The sessions of all users, or of one, as CSV: one line a session, user by user, oldest first.',
    query: { ...span, user: Type.Optional(text('Only this user.')) },
    success: { status: 200, streams: ['text/csv'] },
    handle: async (call, { store, streams }) => {
      const chosen = await spanOf(call.query, call.params.org, store);
      const nowMs = store.redisClock.nowMs() ?? Date.now();
      const { user } = call.query;
      const lines = store.history.sessions(call.params.org, chosen, user);
      await nameFile(call.reply, { org: call.params.org, user, what: 'sessions', extension: 'csv' }, store);
      return streams.answer(call, CSV_TYPE, (signal) => csvOf(lines, nowMs, signal));
    },
  }),
];

const columns = [
  'user',
  'sessionId',
  'began',
  'ended',
  'hours',
  'machine',
  'machineName',
  'client',
  'version',
  'address',
  'reason',
  'actor',
] as const;

async function* csvOf(
  lines: ReturnType<History['sessions']>,
  nowMs: number,
  signal: AbortSignal,
): AsyncGenerator<string> {
  yield csvLine(columns);
  for await (const some of lines) {
    if (signal.aborted) return;
    const text = some.map(({ user, session }) => csvLine(cellsOf(user, sessionView(session, nowMs))));
    if (text.length > 0) yield text.join('');
  }
}

function cellsOf(user: string, session: SessionLine) {
  const { sessionId, began, ended, hours, machine, client, address, reason, actor } = session;
  const program = [client?.name, client?.version];
  return [
    ...[user, sessionId, began, ended, hours.toFixed(3), machine.id, machine.name],
    ...[...program, address, reason, actor],
  ];
}

function viewOf(line: PastLine, nowMs: number): HistoryLine {
  if (line.kind === 'session') return sessionView(line, nowMs);
  const { atMs, ...same } = line;
  return { ...same, at: timeText(atMs) };
}

function sessionView({ beganMs, endedMs, ...same }: PastSession, nowMs: number): SessionLine {
  return {
    ...same,
    began: timeText(beganMs),
    ended: endedMs === null ? null : timeText(endedMs),
    // Redis's clock may have been set back in between.
    hours: Math.max(0, (endedMs ?? nowMs) - beganMs) / HOUR_MS,
  };
}

async function spanOf(query: Query, org: string, store: Store): Promise<Span> {
  const { fromMs = 0, untilMs = END_OF_TIME_MS } = await momentsOf(query, org, store);
  if (fromMs >= untilMs) throw invalid([{ field: 'from', problem: 'must be before until' }]);
  return { fromMs, untilMs };
}
