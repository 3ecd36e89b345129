import { Type } from 'typebox';
import { isTimeZone } from '../../base/calendar.js';
import { ignoreLetterCase } from '../../license/letter-case.js';
import { recount, StillChanging } from '../../license/recount.js';
import { uniqueUsersNow } from '../../license/usage.js';
import type { OrgSettings } from '../../store/orgs.js';
import { BadCursor, cursorOf, readCursor } from '../../store/paging.js';
import { actorOf, forbidden, mayDo } from '../access.js';
import { answerPage } from '../cursors.js';
import { momentsOf } from '../moments.js';
import { settingsFields } from '../org-settings.js';
import { invalid, Problem } from '../problem.js';
import { type RouteParts, route } from '../route.js';
import { count, nullable, object, pageOf, paging, timeOrNull, timeTextOrNull } from '../schemas.js';

const tag = 'orgs';
const one = '/v1/admin/orgs/{org}';
const HOUR_MS = 3_600_000;

const CLASHES_TOLD = 100;
/** What an org has bought: its own admins do not set it. */
const ownersSettings = ['quota', 'licenseMode', 'maxActive', 'maxActiveOverdraft'] as const;

const byReason = (description: string) => Type.Record(Type.String(), Type.Integer(), { description });

const briefSchema = object({
  org: Type.String(),
  quota: settingsFields.quota,
  issued: count('Licenses issued: all but the revoked ones.'),
  available: nullable(count('What is left of the quota.')),
  active: count('Sessions at present.'),
  peak: count('Most sessions at once, ever.'),
});

const orgSchema = object({
  org: Type.String(),
  settings: object(settingsFields),
  suspendedAt: timeOrNull('Since when the org has been suspended; null: it is not.'),
  counts: object({
    issued: count('Licenses issued: all but the revoked ones.'),
    available: nullable(count('What is left of the quota; null: there is none.')),
    kept: count(
      'Places in the quota that tickets keep: of users who were on leave when their licenses were revoked.',
    ),
    suspended: count('Licenses suspended, among those issued.'),
    expired: count('Licenses expired, among those issued.'),
    revoked: count('Licenses revoked.'),
    active: count('Sessions at present.'),
    peak: count('Most sessions at once, ever.'),
    peakAt: timeOrNull('When that was.'),
    grants: count('Seats granted, without resumes.'),
    resumes: count('Sessions resumed on a new connection.'),
    takeovers: count('Sessions displaced by another machine.'),
    reasserted: count('Leases that a node put back after Redis had lost them.'),
    evictions: byReason('Sessions ended, by reason; released: by the program itself.'),
    denials: byReason('Claims refused, by reason.'),
    overdrafts: count('Seats granted beyond what the org may use at once.'),
    seatHours: Type.Number({ minimum: 0, description: 'Time in use of all seats together.' }),
    uniqueUsersToday: count('Users of the present day in the org’s time zone (±1 %).'),
    uniqueUsersThisMonth: count('Users of the present month in the org’s time zone (±1 %).'),
  }),
});

export const orgRoutes = [
  route({
    id: 'listOrgs',
    method: 'GET',
    path: '/v1/admin/orgs',
    role: 'viewer',
    tag,
    summary: 'Orgs by name, with their main counts; with a token for one org, that org.',
    query: paging,
    success: { status: 200, schema: pageOf(briefSchema) },
    problems: [{ status: 400, when: 'The cursor is none of this list' }],
    handle: async (call, { store }) => {
      const own = call.caller.org;
      return answerPage(
        call,
        async (cursor, limit) => {
          const from = cursor === null ? '' : nameIn(cursor);
          const rest =
            own === null
              ? await store.orgs.namesAfter(from, limit + 1)
              : await ownAfter(from, own, store.orgs);
          const chosen = rest.slice(0, limit);
          const items = await Promise.all(chosen.map((org) => briefOf(org, store.orgs)));
          const last = chosen.at(-1);
          const isMore = rest.length > limit && last !== undefined;
          return { items, next: isMore ? cursorOf([last]) : null };
        },
        (item) => item,
      );
    },
  }),
  route({
    id: 'getOrg',
    method: 'GET',
    path: one,
    role: 'viewer',
    tag,
    summary: "An org's settings and counts.",
    success: { status: 200, schema: orgSchema },
    handle: async ({ params }, parts) => orgOf(params.org, parts),
  }),
  route({
    id: 'changeOrg',
    method: 'PATCH',
    path: one,
    role: 'admin',
    foundsOrg: true,
    tag,
    summary:
      'Changes the settings that are named; null takes one away. A new org begins to exist. Quota, license mode and the cap of seats are the owner’s.',
    body: {
      quota: Type.Optional(settingsFields.quota),
      licenseMode: Type.Optional(settingsFields.licenseMode),
      containers: Type.Optional(settingsFields.containers),
      machines: Type.Optional(settingsFields.machines),
      addresses: Type.Optional(settingsFields.addresses),
      timeZone: Type.Optional(settingsFields.timeZone),
      letterCase: Type.Optional(settingsFields.letterCase),
      maxActive: Type.Optional(settingsFields.maxActive),
      maxActiveOverdraft: Type.Optional(settingsFields.maxActiveOverdraft),
      minVersion: Type.Optional(settingsFields.minVersion),
      minVersionFrom: Type.Optional(settingsFields.minVersionFrom),
      idleLimitMs: Type.Optional(settingsFields.idleLimitMs),
      askWaitMs: Type.Optional(settingsFields.askWaitMs),
      askRefusal: Type.Optional(settingsFields.askRefusal),
      leaveMaxMs: Type.Optional(settingsFields.leaveMaxMs),
      leaveReturn: Type.Optional(settingsFields.leaveReturn),
      sameMachine: Type.Optional(settingsFields.sameMachine),
    },
    success: { status: 200, schema: orgSchema },
    problems: [
      { status: 409, when: 'More licenses are issued than the quota would allow' },
      { status: 409, when: 'Users differ in case only, and the org is to ignore it: `clashes` lists them' },
    ],
    handle: async ({ params, body, caller }, parts) => {
      const { minVersionFrom, ...same } = body;
      const changes = {
        ...same,
        ...(minVersionFrom !== undefined && {
          minVersionFrom:
            minVersionFrom === null
              ? null
              : ((await momentsOf({ from: minVersionFrom }, params.org, parts.store)).fromMs ?? null),
        }),
      } as Partial<OrgSettings>;
      if (typeof changes.timeZone === 'string' && !isTimeZone(changes.timeZone))
        throw invalid([
          { field: 'timeZone', problem: 'must be a time zone of the IANA database, as Europe/Berlin' },
        ]);
      const owned = ownersSettings.filter((name) => changes[name] !== undefined);
      if (owned.length > 0 && !mayDo(caller, 'owner', parts.log)) {
        throw new Problem(403, 'forbidden', `only the owner sets ${owned.join(' and ')}`);
      }
      const order = { org: params.org, actor: actorOf(caller) };
      const change = async () => {
        const answer = await parts.store.orgs.change(order.org, changes, order.actor);
        if (answer.outcome === 'done') return;
        const title = 'more licenses are issued than this quota allows';
        throw new Problem(409, answer.reason, title, { issued: answer.issued });
      };
      if (changes.letterCase !== 'ignore') await change();
      else refuseClashes(await ignoreLetterCase(parts.store, order, change));
      return orgOf(params.org, parts);
    },
  }),
  route({
    id: 'recountOrg',
    method: 'POST',
    path: `${one}/recount`,
    role: 'viewer',
    cost: 'recount',
    tag,
    summary:
      'Counts licenses and sessions anew and compares with the counters. A request that comes during a recount of the org gets the answer of that recount. Repairing needs the role admin.',
    body: { repair: Type.Optional(Type.Boolean({ description: 'Puts the counters right.' })) },
    success: {
      status: 200,
      schema: object({
        licenses: count('Licenses looked at.'),
        differences: Type.Array(
          object({ counter: Type.String(), stored: Type.Integer(), counted: Type.Integer() }),
        ),
        repaired: Type.Boolean(),
      }),
    },
    problems: [{ status: 409, when: 'Licenses change faster than they can be counted' }],
    handle: async ({ params: { org }, body, caller }, { store, log }) => {
      if (body.repair && !mayDo(caller, 'admin', log)) throw forbidden();
      const repairBy = body.repair ? actorOf(caller) : null;
      const answer = await store.costly.recount(org, repairBy !== null, () =>
        recount(store, org, { repairBy }).catch((error: unknown) => {
          if (error instanceof StillChanging) return { stillChanging: error.message };
          throw error;
        }),
      );
      if ('stillChanging' in answer) throw new Problem(409, 'still_changing', answer.stillChanging);
      return answer;
    },
  }),
  route({
    id: 'recountOrgs',
    method: 'POST',
    path: '/v1/admin/recount',
    role: 'viewer',
    allOrgs: true,
    cost: 'recount',
    tag,
    summary:
      'Adds up all orgs and compares with the totals that are kept of them. Repairing needs the role admin. Redis does nothing else for some µs an org.',
    body: { repair: Type.Optional(Type.Boolean({ description: 'Puts the totals right.' })) },
    success: {
      status: 200,
      schema: object({
        orgs: count('Orgs added up.'),
        differences: Type.Array(
          object({ total: Type.String(), stored: Type.Integer(), counted: Type.Integer() }),
        ),
        repaired: Type.Boolean(),
      }),
    },
    handle: async ({ body, caller }, { store, log }) => {
      if (body.repair && !mayDo(caller, 'admin', log)) throw forbidden();
      const repair = body.repair === true;
      return store.costly.recount('*', repair, async () => {
        const differences = await store.totals.check(repair);
        const orgs = await store.orgs.number();
        return { orgs, differences, repaired: repair && differences.length > 0 };
      });
    },
  }),
];

function nameIn(cursor: string): string {
  const [name, ...more] = readCursor(cursor);
  if (typeof name !== 'string' || more.length > 0) throw new BadCursor();
  return name;
}

/** The caller's org, where it exists and was not on a page before. */
async function ownAfter(from: string, own: string, orgs: RouteParts['store']['orgs']) {
  return own > from && (await orgs.exists(own)) ? [own] : [];
}

/** Two users cannot become one: a person must say which of them stays. */
function refuseClashes(clashes: readonly (readonly string[])[]): void {
  if (clashes.length === 0) return;
  const fields = clashes.slice(0, CLASHES_TOLD).map((names) => ({
    field: 'letterCase',
    problem: `cannot ignore the case of ${names.join(' and ')}`,
  }));
  throw new Problem(409, 'users_differ_in_case', 'users differ in case only', { fields, clashes });
}

async function briefOf(org: string, orgs: RouteParts['store']['orgs']) {
  const [{ quota }, { issued, available, active, peak }] = await Promise.all([
    orgs.settings(org),
    orgs.counts(org),
  ]);
  return { org, quota, issued, available, active, peak };
}

async function orgOf(org: string, { store }: RouteParts) {
  const nowMs = store.redisClock.nowMs() ?? Date.now();
  const [settings, suspendedAt, counts, users] = await Promise.all([
    store.orgs.settings(org),
    store.orgs.suspendedAt(org),
    store.orgs.counts(org),
    store.orgs.timeZone(org).then((zone) => uniqueUsersNow(store.usage, org, nowMs, zone)),
  ]);
  const { peakAt, granted, resumed, ended, denied, seatMs, overdrawn, ...same } = counts;
  return {
    org,
    settings: { ...settings, minVersionFrom: timeTextOrNull(settings.minVersionFrom) },
    suspendedAt: timeTextOrNull(suspendedAt),
    counts: {
      ...same,
      peakAt: timeTextOrNull(peakAt),
      grants: granted,
      resumes: resumed,
      evictions: ended,
      denials: denied,
      overdrafts: overdrawn,
      seatHours: seatMs / HOUR_MS,
      uniqueUsersToday: users.today,
      uniqueUsersThisMonth: users.thisMonth,
    },
  };
}
