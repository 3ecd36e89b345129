import { Type } from 'typebox';
import { type AdminClaims, roles } from '../../auth/tokens.js';
import { logIn, setCookie, withRole } from '../access.js';
import { route } from '../route.js';
import { nullable, object, time, timeText } from '../schemas.js';

const signedIn = object({
  subject: Type.String(),
  role: Type.Enum([...roles]),
  org: nullable(Type.String({ description: 'The one org; null: all of them.' })),
  expiresAt: time('When the token ends.'),
});

const path = '/v1/admin/session';
const tag = 'sign-in';

export const signInRoutes = [
  route({
    id: 'signIn',
    method: 'POST',
    path,
    role: null,
    tag,
    summary: 'Signs a browser in with an admin token, which is kept in a cookie.',
    body: { token: Type.String({ minLength: 1, maxLength: 8192 }) },
    success: { status: 200, schema: signedIn },
    problems: [
      { status: 401, when: 'The token is not accepted' },
      { status: 403, when: 'A page of another origin asks' },
      {
        status: 429,
        when: 'There were 20 failed log-ins from this address, or of this name, within a minute; a good token is let in all the same',
      },
    ],
    handle: async ({ body, request, reply }, parts) => {
      const claims = logIn(body.token, request, parts);
      setCookie(request, reply, body.token, claims.expiresAtMs - parts.wallMs());
      return whoIs(await withRole(claims, parts));
    },
  }),
  route({
    id: 'whoAmI',
    method: 'GET',
    path,
    role: 'viewer',
    tag,
    summary: 'Whom the token speaks for.',
    success: { status: 200, schema: signedIn },
    handle: async ({ caller }) => whoIs(caller),
  }),
  route({
    id: 'signOut',
    method: 'DELETE',
    path,
    role: null,
    tag,
    summary: 'Signs a browser out.',
    success: { status: 204 },
    handle: async ({ request, reply }) => {
      setCookie(request, reply, '', 0);
    },
  }),
];

function whoIs({ subject, role, org, expiresAtMs }: AdminClaims) {
  return { subject, role, org, expiresAt: timeText(expiresAtMs) };
}
