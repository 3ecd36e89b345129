import { Type } from 'typebox';
import { tokenIdOf } from '../../auth/claims.js';
import { actorOf } from '../access.js';
import { momentsOf } from '../moments.js';
import { invalid } from '../problem.js';
import { route } from '../route.js';
import { from, note, nullable, object, pageOf, text, time, timeText } from '../schemas.js';

const tag = 'tokens';
const all = '/v1/admin/orgs/{org}/revocations';
const LISTED = 500;

const who = {
  user: Type.Optional(text('Whose tokens are refused.')),
  jti: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 8192,
      description: 'The `jti` of the one token that is refused.',
    }),
  ),
};

export const revocationRoutes = [
  route({
    id: 'revokeTokens',
    method: 'POST',
    path: all,
    role: 'admin',
    tag,
    summary:
      'Refuses one token (`jti`), or all of a user that were issued up to a moment, and ends the session under them. A user gets in again with a token that was issued later.',
    body: {
      ...who,
      before: Type.Optional(from('The moment, which is not to come; now, where it is left out.')),
      note,
    },
    success: {
      status: 201,
      schema: object({
        endedSessionId: nullable(
          Type.String({
            description:
              'The session that ended at once. Without `user` each node looks for it, and it ends within a second.',
          }),
        ),
      }),
    },
    handle: async ({ params: { org }, body, caller }, { store }) => {
      const { user, jti, before, note: why } = body;
      if (user === undefined && jti === undefined)
        throw invalid([{ field: 'user', problem: 'is missing: the user, or the jti of a token' }]);
      if (jti !== undefined && before !== undefined)
        throw invalid([
          { field: 'before', problem: 'goes with a user alone, not with the jti of one token' },
        ]);
      const order = { org, actor: actorOf(caller), ...(why !== undefined && { note: why }) };
      const { fromMs: beforeMs } = await momentsOf({ from: before }, org, store);
      const answer = await store.revocations.revoke(
        jti !== undefined
          ? { ...order, tokenId: tokenIdOf(jti), ...(user !== undefined && { user }) }
          : { ...order, user: user ?? '', ...(beforeMs !== undefined && { beforeMs }) },
      );
      if (answer.outcome === 'refused') throw invalid([{ field: 'before', problem: 'has not come yet' }]);
      return { endedSessionId: answer.endedSessionId };
    },
  }),
  route({
    id: 'listRevocations',
    method: 'GET',
    path: all,
    role: 'viewer',
    tag,
    summary: `Revocations that are remembered, the latest moment first; of users and of tokens the newest ${LISTED} each.`,
    success: {
      status: 200,
      schema: pageOf(
        object({ ...who, at: time('Tokens of the user up to then; or when the token was revoked.') }),
      ),
    },
    handle: async ({ params: { org } }, { store }) => {
      const found = await store.revocations.list(org, LISTED);
      const items = found.map((one) =>
        'user' in one ? { user: one.user, at: timeText(one.at) } : { jti: one.tokenId, at: timeText(one.at) },
      );
      return { items, next: null };
    },
  }),
];
