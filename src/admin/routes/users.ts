import { Type } from 'typebox';
import { MAX_HOLD_MS, type UserAnswer } from '../../store/users.js';
import { actorOf } from '../access.js';
import { invalid, notFound, Problem } from '../problem.js';
import { route } from '../route.js';
import { count, forced, note, nullable, object, text, time, timeText, timeTextOrNull } from '../schemas.js';

const tag = 'users';
const one = '/v1/admin/orgs/{org}/users/{user}';

const DAY_MS = 86_400_000;

const ended = object({
  endedSessionId: nullable(Type.String({ description: 'The session that the change ended.' })),
});

const holdSchema = object({
  until: time('Until when the user gets no seat.'),
  actor: nullable(Type.String({ description: 'The sub of who did it; null: too far back to tell.' })),
  note: nullable(Type.String({ description: 'Why.' })),
});

export const userRoutes = [
  route({
    id: 'getUser',
    method: 'GET',
    path: one,
    role: 'viewer',
    tag,
    summary: 'Whether anything is known of a user, and whether the user is kept out.',
    success: {
      status: 200,
      schema: object({
        user: text('The user, as the org spells the name.'),
        isKnown: Type.Boolean({ description: 'Whether there is a license, a session, a machine or a past.' }),
        hold: nullable(holdSchema),
      }),
    },
    handle: async ({ params: { org, user } }, { store }) => {
      const { isKnown, hold } = await store.users.about(org, user);
      const { untilMs, ...same } = hold ?? { untilMs: 0 };
      return { user, isKnown, hold: hold === null ? null : { until: timeText(untilMs), ...same } };
    },
  }),
  route({
    id: 'holdUser',
    method: 'PUT',
    path: `${one}/hold`,
    role: 'operator',
    tag,
    summary: 'Keeps a user out for a time, also one without a session. A live session goes on: evict it.',
    body: { holdMs: Type.Integer({ minimum: 1, maximum: MAX_HOLD_MS, description: 'For how long.' }), note },
    success: { status: 200, schema: object({ holdUntil: nullable(time('Until when.')) }) },
    handle: async ({ params, body, caller }, { store }) => {
      const why = body.note === undefined ? {} : { note: body.note };
      const untilMs = await store.users.hold({
        ...params,
        ...why,
        holdMs: body.holdMs,
        actor: actorOf(caller),
      });
      return { holdUntil: timeTextOrNull(untilMs) };
    },
  }),
  route({
    id: 'liftHold',
    method: 'DELETE',
    path: `${one}/hold`,
    role: 'operator',
    tag,
    summary: 'Lets a user in again who was kept out. Nothing happens where nobody is.',
    success: { status: 204 },
    handle: async ({ params, caller }, { store }) => {
      await store.users.hold({ ...params, holdMs: 0, actor: actorOf(caller) });
    },
  }),
  route({
    id: 'renameUser',
    method: 'POST',
    path: `${one}/rename`,
    role: 'admin',
    tag,
    summary:
      'Gives a user another name. License, machines, history and the past go along; a live session ends with 4510 user_renamed. For a day, or as long as is said, tokens with the old name come in under the new one.',
    body: {
      to: text('The new name, as tokens will have it.'),
      aliasMs: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: MAX_HOLD_MS,
          description: 'For how long tokens with the old name come in: as long as tokens live; a day.',
        }),
      ),
      note,
      forced,
    },
    success: { status: 200, schema: ended },
    problems: [{ status: 409, when: 'Something is known of a user of the new name' }],
    handle: async ({ params, body, caller }, { store }) => {
      const { to, aliasMs = DAY_MS, note: why } = body;
      if (to === params.user) throw invalid([{ field: 'to', problem: 'is the name that the user has' }]);
      const order = {
        ...params,
        to,
        aliasMs,
        actor: actorOf(caller),
        ...(why !== undefined && { note: why }),
        ...(body.forced && { forced: true }),
      };
      return endedBy(await store.users.rename(order));
    },
  }),
  route({
    id: 'forgetUser',
    method: 'POST',
    path: `${one}/forget`,
    role: 'admin',
    tag,
    summary:
      'Deletes all that names a user: license, seat, machines, history, name. The past stays, of somebody without a name. With `preview` nothing happens: it tells what would go.',
    body: {
      preview: Type.Optional(Type.Boolean({ description: 'Only tells what would go.' })),
      note,
      forced,
    },
    success: {
      status: 200,
      schema: object({
        forgotten: Type.Boolean(),
        license: nullable(Type.String({ description: 'The status of the license.' })),
        hasSession: Type.Boolean({ description: 'Whether a live session ends.' }),
        machines: count('Machines.'),
        sessions: count('Lines of the history.'),
      }),
    },
    handle: async ({ params, body, caller }, { store }) => {
      const { org, user } = params;
      if (!(await store.users.about(org, user)).isKnown) throw notFound('user');
      const traces = await store.users.traces(org, user);
      if (body.preview) return { forgotten: false, ...traces };
      const why = {
        ...(body.note !== undefined && { note: body.note }),
        ...(body.forced && { forced: true }),
      };
      endedBy(await store.users.forget({ org, user, actor: actorOf(caller), ...why }));
      return { forgotten: true, ...traces };
    },
  }),
];

/** The session that a change ended. Throws the Problem of a refusal. */
function endedBy(answer: UserAnswer) {
  if (answer.outcome === 'done') return { endedSessionId: answer.endedSessionId };
  if (answer.reason === 'not_found') throw notFound('user');
  throw new Problem(409, 'exists', 'something is known of a user of that name');
}
