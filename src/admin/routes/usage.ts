import { Type } from 'typebox';
import { type DayRow, usageByDay } from '../../license/usage.js';
import { USAGE_DAYS, type UsageRow } from '../../store/usage.js';
import { CSV_TYPE, csvLine } from '../csv.js';
import { invalid } from '../problem.js';
import { route } from '../route.js';
import { count, object, pageOf, time, timeText } from '../schemas.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MAX_DAYS = { hour: 31, day: USAGE_DAYS } as const;

const rowSchema = object({
  at: time('When the hour or the day begins, in UTC.'),
  peak: count('Most sessions at once.'),
  grants: count('Seats granted, without resumes.'),
  resumes: count('Sessions resumed.'),
  takeovers: count('Sessions displaced by another machine.'),
  denials: count('Claims refused.'),
  seatHours: Type.Number({ minimum: 0, description: 'Time in use of all seats together.' }),
  uniqueUsers: Type.Optional(count('Users who came in (±1 %); by day only.')),
});

export const usageRoutes = [
  route({
    id: 'getUsage',
    method: 'GET',
    path: '/v1/admin/orgs/{org}/usage',
    role: 'viewer',
    tag: 'usage',
    summary: 'Usage by hour (31 days at most) or by day (400 days); as CSV where Accept asks for text/csv.',
    headers: { Accept: 'text/csv for CSV, else JSON.' },
    query: {
      from: Type.Optional(time('From this time on; left out: 30 days before `to`, by hour one day.')),
      to: Type.Optional(time('Until before this time; left out: now.')),
      by: Type.Optional(Type.Enum(['hour', 'day'], { default: 'day' })),
    },
    success: { status: 200, schema: pageOf(rowSchema), streams: ['text/csv'] },
    handle: async ({ params, query, request, reply }, { store }) => {
      const by = query.by ?? 'day';
      const untilMs =
        query.to === undefined ? (store.redisClock.nowMs() ?? Date.now()) : Date.parse(query.to);
      const spanMs = by === 'day' ? 30 * DAY_MS : DAY_MS;
      const fromMs = query.from === undefined ? untilMs - spanMs : Date.parse(query.from);
      if (!(fromMs < untilMs)) throw invalid([{ field: 'from', problem: 'must be before to' }]);
      if (untilMs - fromMs > MAX_DAYS[by] * DAY_MS) {
        throw invalid([{ field: 'from', problem: `must be at most ${MAX_DAYS[by]} days before to` }]);
      }
      const found =
        by === 'day'
          ? await usageByDay(store.usage, params.org, fromMs, untilMs)
          : await store.usage.hours(params.org, fromMs, untilMs);
      const items = found.map(rowOf);
      if (!/\btext\/csv\b/.test(request.headers.accept ?? '')) return { items, next: null };
      reply.type(CSV_TYPE).header('Content-Disposition', 'attachment; filename="usage.csv"');
      return csvOf(items);
    },
  }),
];

function rowOf(row: UsageRow | DayRow) {
  const { period, peak, granted, resumed, takeovers, denied, seatMs } = row;
  return {
    at: timeText(Date.parse(period.length === 10 ? period : `${period}:00Z`)),
    peak,
    grants: granted,
    resumes: resumed,
    takeovers,
    denials: denied,
    seatHours: seatMs / HOUR_MS,
    ...('uniqueUsers' in row && { uniqueUsers: row.uniqueUsers }),
  };
}

type Row = ReturnType<typeof rowOf>;

function csvOf(rows: readonly Row[]): string {
  const columns = [
    'at',
    'peak',
    'grants',
    'resumes',
    'takeovers',
    'denials',
    'seatHours',
    'uniqueUsers',
  ] as const;
  return [csvLine(columns), ...rows.map((row) => csvLine(columns.map((name) => row[name])))].join('');
}
