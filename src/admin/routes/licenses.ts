import { Type } from 'typebox';
import type { AdminClaims } from '../../auth/tokens.js';
import { type LicenseEnd, readEnd } from '../../license/end.js';
import { OnLeave } from '../../store/errors.js';
import type { License, LicenseAnswer, LicenseOrder, LicenseRefusal } from '../../store/license-types.js';
import { licenseStatuses } from '../../store/license-types.js';
import type { Licenses } from '../../store/licenses.js';
import { actorOf } from '../access.js';
import { answerPage } from '../cursors.js';
import { termsOf } from '../license-terms.js';
import { licenseView } from '../license-view.js';
import { invalid, notFound, Problem } from '../problem.js';
import { type RouteParts, route } from '../route.js';
import {
  end,
  forced,
  licenseSchema,
  licenseTerms,
  note,
  nullable,
  object,
  pageOf,
  paging,
  text,
} from '../schemas.js';
import { issueOnce } from './issue.js';

const DAY_MS = 86_400_000;
const tag = 'licenses';
const org = '/v1/admin/orgs/{org}';
const one = `${org}/licenses/{user}` as const;
const conflict = { status: 409, when: 'The license is not in a status that allows it' };
const changed = object({
  license: licenseSchema,
  endedSessionId: nullable(Type.String({ description: 'The session that the change ended.' })),
});

export const licenseRoutes = [
  route({
    id: 'listLicenses',
    method: 'GET',
    path: `${org}/licenses`,
    role: 'viewer',
    tag,
    summary: 'Licenses in the order of their issue. Without `status`, all but the revoked ones.',
    query: {
      ...paging,
      status: Type.Optional(Type.Enum([...licenseStatuses])),
      order: Type.Optional(
        Type.Enum(['oldest', 'newest'], { default: 'oldest', description: 'Which ones come first.' }),
      ),
    },
    success: { status: 200, schema: pageOf(licenseSchema) },
    problems: [{ status: 400, when: 'The cursor is none of this list' }],
    handle: async (call, { store }) => {
      const { status } = call.query;
      const newestFirst = call.query.order === 'newest';
      const read = (cursor: string | null, limit: number) =>
        status === undefined
          ? store.licenses.page(call.params.org, { revoked: false, newestFirst }, cursor, limit)
          : store.licenses.pageWithStatus(call.params.org, { status, newestFirst }, cursor, limit);
      return answerPage(call, read, licenseView);
    },
  }),
  route({
    id: 'issueLicense',
    method: 'POST',
    path: `${org}/licenses`,
    role: 'admin',
    foundsOrg: true,
    tag,
    summary: 'Issues a license.',
    headers: {
      'Idempotency-Key':
        'A repetition with the same key within a day gets the first answer and issues nothing.',
    },
    body: {
      user: text('Who gets the license.'),
      expiresAt: Type.Optional(nullable(end('When it ends; null or left out: never.'))),
      ...licenseTerms,
      note,
    },
    success: { status: 201, schema: licenseSchema },
    problems: [
      { status: 409, when: 'The user has a license, or the quota is used up' },
      { status: 422, when: 'The idempotency key was used for another request' },
    ],
    handle: async ({ params, body, caller, request }, parts) => {
      const { user, note } = body;
      const until = await endOf(body.expiresAt ?? null, params.org, parts);
      const order = {
        user,
        end: until,
        terms: await termsOf(body, params.org, parts),
        ...(note !== undefined && { note }),
        org: params.org,
        actor: actorOf(caller),
      };
      const answer = await issueOnce(order, request.headers['idempotency-key'], parts);
      return licenseView(licenseFrom(answer));
    },
  }),
  route({
    id: 'getLicense',
    method: 'GET',
    path: one,
    role: 'viewer',
    tag,
    summary: "A user's license, also a revoked one.",
    success: { status: 200, schema: licenseSchema },
    handle: async ({ params }, { store }) => {
      const license = await store.licenses.get(params.org, params.user);
      if (license === null) throw notFound('license');
      return licenseView(license);
    },
  }),
  change('suspend', 'Takes the right away for a while; a live session ends.'),
  change('reinstate', 'Gives a suspended license its right back.'),
  change('revoke', 'Takes the license back and frees its place in the quota; a live session ends.'),
  route({
    id: 'transferLicense',
    method: 'POST',
    path: `${one}/transfer`,
    role: 'admin',
    tag,
    summary: 'Moves the license to a user who has none; a live session of the former user ends.',
    body: { to: text('Who gets the license.'), note, forced },
    success: { status: 200, schema: changed },
    problems: [conflict],
    handle: async ({ params, body, caller }, parts) =>
      answerChange(parts.store.licenses, params.org, body.to, (licenses) =>
        licenses.transfer({ ...orderOf(params, caller, body), to: body.to }),
      ),
  }),
  route({
    id: 'setLicenseExpiry',
    method: 'PUT',
    path: `${one}/expiry`,
    role: 'admin',
    tag,
    summary: 'Sets when the license ends; a time that is past ends a live session.',
    body: { expiresAt: nullable(end('When it ends; null: never.')), note, forced },
    success: { status: 200, schema: changed },
    problems: [conflict],
    handle: async ({ params, body, caller }, parts) => {
      const until = (await endOf(body.expiresAt, params.org, parts)) ?? { expiresAt: null };
      return answerChange(parts.store.licenses, params.org, params.user, (licenses) =>
        licenses.setExpiry({ ...orderOf(params, caller, body), ...until }),
      );
    },
  }),
  route({
    id: 'changeLicense',
    method: 'PATCH',
    path: one,
    role: 'admin',
    tag,
    summary: 'Changes the terms that are named. A session that runs goes on.',
    body: { ...licenseTerms, note },
    success: { status: 200, schema: changed },
    problems: [conflict],
    handle: async ({ params, body, caller }, parts) => {
      const terms = await termsOf(body, params.org, parts);
      return answerChange(parts.store.licenses, params.org, params.user, (licenses) =>
        licenses.setTerms({ ...orderOf(params, caller, body), terms }),
      );
    },
  }),
  route({
    id: 'setLicenseNote',
    method: 'PUT',
    path: `${one}/note`,
    role: 'admin',
    tag,
    summary: 'Writes another note to the license. A change without a note keeps the one before.',
    body: { note: nullable(text('What it says from now on; null: nothing.')) },
    success: { status: 200, schema: changed },
    handle: async ({ params, body, caller }, parts) =>
      answerChange(parts.store.licenses, params.org, params.user, (licenses) =>
        licenses.annotate({ ...orderOf(params, caller, {}), note: body.note ?? '' }),
      ),
  }),
  route({
    id: 'listUnusedLicenses',
    method: 'GET',
    path: `${org}/unused-licenses`,
    role: 'viewer',
    tag,
    summary: 'Licenses that nobody used for some days, the longest unused first.',
    query: {
      ...paging,
      days: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 3650, default: 30, description: 'For how long.' }),
      ),
    },
    success: { status: 200, schema: pageOf(licenseSchema) },
    problems: [{ status: 400, when: 'The cursor is none of this list' }],
    handle: async (call, { store }) => {
      const beforeMs = (store.redisClock.nowMs() ?? Date.now()) - (call.query.days ?? 30) * DAY_MS;
      return answerPage(
        call,
        (cursor, limit) => store.licenses.unused(call.params.org, beforeMs, cursor, limit),
        licenseView,
      );
    },
  }),
];

/** When a license ends, as it was asked for. Throws the Problem that names the field. */
async function endOf(text: string | null, org: string, { store }: RouteParts): Promise<LicenseEnd | null> {
  if (text === null) return null;
  const end = readEnd(text, await store.orgs.timeZone(org));
  if (end !== null) return end;
  const problem = 'must be a time like 2027-01-31T00:00:00Z, or a day like 2027-01-31';
  throw invalid([{ field: 'expiresAt', problem }]);
}

/** A change that needs nothing but its name. */
function change(action: 'suspend' | 'reinstate' | 'revoke', summary: string) {
  return route({
    id: `${action}License`,
    method: 'POST',
    path: `${one}/${action}`,
    role: 'admin',
    tag,
    summary,
    body: { note, forced },
    success: { status: 200, schema: changed },
    problems: [conflict],
    handle: async ({ params, body, caller }, parts) =>
      answerChange(parts.store.licenses, params.org, params.user, (licenses) =>
        licenses[action](orderOf(params, caller, body)),
      ),
  });
}

async function answerChange(
  licenses: Licenses,
  orgName: string,
  user: string,
  make: (licenses: Licenses) => Promise<LicenseAnswer>,
) {
  const answer = await make(licenses);
  const license = licenseFrom(answer);
  // The script's answer does not tell the last use.
  const now = await licenses.get(orgName, user);
  return {
    license: licenseView(now ?? license),
    endedSessionId: answer.outcome === 'done' ? answer.endedSessionId : null,
  };
}

function orderOf(
  params: { readonly org: string; readonly user: string },
  caller: AdminClaims,
  { note, forced }: { readonly note?: string; readonly forced?: boolean },
): LicenseOrder {
  const more = { ...(note !== undefined && { note }), ...(forced && { forced }) };
  return { ...params, actor: actorOf(caller), ...more };
}

const titles: Readonly<
  Record<Exclude<LicenseRefusal, 'not_found' | 'expires_in_the_past' | 'on_leave'>, string>
> = {
  exists: 'the user has a license',
  wrong_status: 'the license is not in a status that allows this',
  quota_exhausted: 'the quota is used up',
  not_due: 'the license does not end yet',
  import_ended: 'the import has been undone',
};

/** The license of an answer. Throws what a refusal leads to. */
function licenseFrom(answer: LicenseAnswer): License {
  if (answer.outcome === 'done') return answer.license;
  const { reason, status, leaveUntilMs } = answer;
  if (leaveUntilMs !== undefined) throw new OnLeave(leaveUntilMs);
  if (reason === 'not_found' || reason === 'on_leave') throw notFound('license');
  if (reason === 'expires_in_the_past') throw invalid([{ field: 'expiresAt', problem: 'is in the past' }]);
  throw new Problem(409, reason, titles[reason], status === null ? {} : { licenseStatus: status });
}
