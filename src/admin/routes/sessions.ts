import { Type } from 'typebox';
import type { LiveSession } from '../../store/sessions.js';
import { MAX_HOLD_MS } from '../../store/users.js';
import { actorOf } from '../access.js';
import { answerPage } from '../cursors.js';
import { invalid, notFound } from '../problem.js';
import { route } from '../route.js';
import {
  count,
  forced,
  machineFields,
  note,
  nullable,
  object,
  orgName,
  pageOf,
  paging,
  text,
  time,
  timeOrNull,
  timeText,
  timeTextOrNull,
} from '../schemas.js';

const tag = 'sessions';
const all = '/v1/admin/orgs/{org}/sessions';

const epoch = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'The fencing token of the grant.',
});
const sessionSchema = object({
  user: Type.String(),
  sessionId: Type.String(),
  epoch,
  nodeId: Type.String({ description: 'The node that serves it.' }),
  since: time('When the seat was granted.'),
  ttlMs: count('Time left to the lease without a renewal.'),
  onLeaveUntil: timeOrNull('Until when the user took the seat along; null: the seat is used online.'),
  activeAt: timeOrNull('When somebody was last at work; null: the program does not tell.'),
  shared: Type.Boolean({ description: 'Several programs of the machine hold it together.' }),
  machine: object(machineFields),
});

export const sessionRoutes = [
  route({
    id: 'listSessions',
    method: 'GET',
    path: all,
    role: 'viewer',
    tag,
    summary:
      'Live sessions, in no particular order. A page may be shorter than `limit` while `next` goes on.',
    query: {
      ...paging,
      user: Type.Optional(text('How the user begins.')),
      onLeave: Type.Optional(Type.Boolean({ description: 'Only those who took their seat along.' })),
    },
    success: { status: 200, schema: pageOf(sessionSchema) },
    problems: [{ status: 400, when: 'The cursor is none of this list' }],
    handle: async (call, { store }) =>
      answerPage(
        call,
        (cursor, limit) =>
          call.query.onLeave
            ? store.sessions.onLeave(call.params.org, call.query.user ?? '', cursor, limit)
            : store.sessions.page(call.params.org, call.query.user ?? '', cursor, limit),
        sessionOf,
      ),
  }),
  route({
    id: 'getSession',
    method: 'GET',
    path: `${all}/{user}`,
    role: 'viewer',
    tag,
    summary: 'The session that has the user’s seat.',
    success: { status: 200, schema: sessionSchema },
    handle: async ({ params }, { store }) => {
      const session = await store.sessions.get(params.org, params.user);
      if (session === null) throw notFound('session');
      return sessionOf(session);
    },
  }),
  route({
    id: 'evictSession',
    method: 'POST',
    path: `${all}/{user}/evict`,
    role: 'operator',
    tag,
    summary:
      'Ends the user’s session, wherever it is served; with `holdMs`, the user gets no seat for that long.',
    body: {
      note,
      forced,
      holdMs: Type.Optional(
        Type.Integer({ minimum: 0, maximum: MAX_HOLD_MS, description: '0 lifts a hold.' }),
      ),
      sessionId: Type.Optional(text('Only this session; together with `epoch`.')),
      epoch: Type.Optional(epoch),
    },
    success: {
      status: 200,
      schema: object({
        evicted: nullable(object({ sessionId: Type.String(), epoch })),
        holdUntil: Type.Optional(time('Until when the user gets no seat.')),
      }),
    },
    handle: async ({ params, body, caller }, { store }) => {
      const { note: why, holdMs, sessionId, epoch: ofEpoch } = body;
      if ((sessionId === undefined) !== (ofEpoch === undefined)) {
        const field = sessionId === undefined ? 'sessionId' : 'epoch';
        throw invalid([{ field, problem: 'sessionId and epoch belong together' }]);
      }
      const evicted = await store.leases.evict({
        ...params,
        reason: 'evicted_by_admin',
        actor: actorOf(caller),
        ...(why !== undefined && { note: why }),
        ...(holdMs !== undefined && { holdMs }),
        ...(body.forced && { forced: true }),
        ...(sessionId !== undefined && ofEpoch !== undefined && { only: { sessionId, epoch: ofEpoch } }),
      });
      const nowMs = store.redisClock.nowMs() ?? Date.now();
      const isHeld = holdMs !== undefined && (evicted !== null || sessionId === undefined);
      const ended = evicted && { sessionId: evicted.sessionId, epoch: evicted.epoch };
      return { evicted: ended, ...(isHeld && { holdUntil: timeText(nowMs + holdMs) }) };
    },
  }),
  route({
    id: 'introspect',
    method: 'POST',
    path: '/v1/introspect',
    role: 'viewer',
    changesNothing: true,
    tag,
    summary:
      'Whether this session and epoch still own the user’s seat: for services that are shown an epoch.',
    body: { org: orgName('The org.'), user: text('The user.'), sessionId: text('The session.'), epoch },
    success: {
      status: 200,
      schema: object({
        active: Type.Boolean(),
        since: Type.Optional(time('When the seat was granted.')),
        ttlMs: Type.Optional(count('Time left to the lease without a renewal.')),
        machine: Type.Optional(object(machineFields)),
      }),
    },
    problems: [{ status: 404, when: 'The token is not for that org' }],
    handle: async ({ body, caller }, { store }) => {
      if (caller.org !== null && caller.org !== body.org) throw notFound('org');
      // Promise 1: whoever shows another session, or an epoch from before the person's act, does not own the seat.
      const session = await store.sessions.ownedBy(body.org, body.user, body.sessionId, body.epoch);
      if (session === null) return { active: false };
      const { since, ttlMs, machine } = sessionOf(session);
      return { active: true, since, ttlMs, machine };
    },
  }),
];

function sessionOf(session: LiveSession) {
  const { user, sessionId, epoch: ofEpoch, nodeId, sinceMs, ttlMs, activeAtMs, machine } = session;
  const times = {
    since: timeText(sinceMs),
    ttlMs,
    activeAt: timeTextOrNull(activeAtMs),
    onLeaveUntil: timeTextOrNull(session.leaveUntilMs ?? null),
    shared: session.isShared === true,
  };
  return { user, sessionId, epoch: ofEpoch, nodeId, ...times, machine };
}
