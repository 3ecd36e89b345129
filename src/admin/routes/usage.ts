import { Type } from 'typebox';
import { type DayRow, type UsageRow, usageByDay, usageByHour } from '../../license/usage.js';
import { USAGE_DAYS } from '../../store/usage.js';
import { CSV_TYPE, csvLine } from '../csv.js';
import { nameFile } from '../file-names.js';
import { momentsOf } from '../moments.js';
import { invalid } from '../problem.js';
import { route } from '../route.js';
import { count, from, object, pageOf, time, timeText, until } from '../schemas.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MAX_DAYS = { hour: 31, day: USAGE_DAYS } as const;

const rowSchema = object({
  at: time('When the hour or the day begins.'),
  day: Type.Optional(Type.String({ description: 'The day, as `2027-01-31`; by day only.' })),
  peak: count('Most sessions at once.'),
  grants: count('Seats granted, without resumes.'),
  resumes: count('Sessions resumed.'),
  takeovers: count('Sessions displaced by another machine.'),
  denials: count('Claims refused.'),
  seatHours: Type.Number({ minimum: 0, description: 'Time in use of all seats together.' }),
  uniqueUsers: Type.Optional(count('Users who came in (±1 %); by day only.')),
  wholeHours: Type.Optional(
    Type.Literal(true, {
      description:
        'It begins or ends within an hour of UTC of which the quarters are kept no more (40 days): that hour counts for what begins in it.',
    }),
  ),
  usersOfUtcDay: Type.Optional(
    Type.Literal(true, { description: 'The users are those of a day of UTC: version 0.1 kept no others.' }),
  ),
});

export const usageRoutes = [
  route({
    id: 'getUsage',
    method: 'GET',
    path: '/v1/admin/orgs/{org}/usage',
    role: 'viewer',
    tag: 'usage',
    summary:
      'Usage by hour (31 days at most) or by day (400 days) of the org’s time zone; as CSV where Accept asks for text/csv.',
    headers: { Accept: 'text/csv for CSV, else JSON.' },
    query: {
      from: Type.Optional(from('From then on; left out: 30 days before `to`, by hour one day.')),
      to: Type.Optional(until('Until then; left out: now.')),
      by: Type.Optional(Type.Enum(['hour', 'day'], { default: 'day' })),
    },
    success: {
      status: 200,
      schema: pageOf(rowSchema, {
        timeZone: Type.String({ description: 'The zone of the hours and days: the org’s.' }),
      }),
      streams: ['text/csv'],
    },
    handle: async ({ params, query, request, reply }, { store }) => {
      const by = query.by ?? 'day';
      const asked = await momentsOf({ from: query.from, until: query.to }, params.org, store);
      const { untilMs = store.redisClock.nowMs() ?? Date.now() } = asked;
      const { fromMs = untilMs - (by === 'day' ? 30 : 1) * DAY_MS } = asked;
      if (fromMs >= untilMs) throw invalid([{ field: 'from', problem: 'must be before to' }]);
      // A day may have an hour more than 24.
      if (untilMs - fromMs > MAX_DAYS[by] * DAY_MS + HOUR_MS) {
        throw invalid([{ field: 'from', problem: `must be at most ${MAX_DAYS[by]} days before to` }]);
      }
      const timeZone = await store.orgs.timeZone(params.org);
      const usage = by === 'day' ? usageByDay : usageByHour;
      const found: readonly (UsageRow | DayRow)[] = await usage(store.usage, params.org, {
        ...{ fromMs, untilMs, timeZone },
      });
      const items = found.map(rowOf);
      if (!/\btext\/csv\b/.test(request.headers.accept ?? '')) return { timeZone, items, next: null };
      await nameFile(reply, { org: params.org, what: `usage-by-${by}`, extension: 'csv' }, store);
      reply.type(CSV_TYPE);
      return csvOf(items, timeZone);
    },
  }),
];

function rowOf(row: UsageRow | DayRow) {
  const { startMs, peak, granted, resumed, takeovers, denied, seatMs, wholeHours } = row;
  return {
    at: timeText(startMs),
    ...('day' in row && { day: row.day }),
    peak,
    grants: granted,
    resumes: resumed,
    takeovers,
    denials: denied,
    seatHours: seatMs / HOUR_MS,
    ...('day' in row && { uniqueUsers: row.uniqueUsers }),
    ...(wholeHours && { wholeHours }),
    ...('day' in row && row.usersOfUtcDay && { usersOfUtcDay: true }),
  };
}

type Row = ReturnType<typeof rowOf>;

function csvOf(rows: readonly Row[], timeZone: string): string {
  const columns = [
    'at',
    'peak',
    'grants',
    'resumes',
    'takeovers',
    'denials',
    'seatHours',
    'uniqueUsers',
    'day',
  ] as const;
  const lines = rows.map((row) => csvLine([...columns.map((name) => row[name]), timeZone]));
  return [csvLine([...columns, 'timeZone']), ...lines].join('');
}
