import { Type } from 'typebox';
import { MAX_HOLD_MS } from '../../store/users.js';
import { actorOf } from '../access.js';
import { route } from '../route.js';
import { note, nullable, object, text, time, timeText, timeTextOrNull } from '../schemas.js';

const tag = 'users';
const one = '/v1/admin/orgs/{org}/users/{user}';

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
];
