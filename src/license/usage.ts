import type { Usage, UsageRow } from '../store/usage.js';

/** A day's usage; users are counted by day only. */
export interface DayRow extends UsageRow {
  readonly uniqueUsers: number;
}

const DAY_MS = 86_400_000;

/** One row for every UTC day that has an hour from `fromMs` until before `untilMs` (Unix ms). */
export async function usageByDay(
  usage: Usage,
  org: string,
  fromMs: number,
  untilMs: number,
): Promise<DayRow[]> {
  const days = new Map<string, UsageRow[]>();
  for (const row of await usage.hours(org, Math.floor(fromMs / DAY_MS) * DAY_MS, untilMs)) {
    const day = row.period.slice(0, 10);
    days.set(day, [...(days.get(day) ?? []), row]);
  }
  return Promise.all(
    [...days].map(async ([day, rows]) => {
      const startMs = Date.parse(day);
      const sum = (field: 'granted' | 'resumed' | 'takeovers' | 'denied' | 'seatMs') =>
        rows.reduce((total, row) => total + row[field], 0);
      return {
        period: day,
        peak: Math.max(...rows.map(({ peak }) => peak)),
        granted: sum('granted'),
        resumed: sum('resumed'),
        takeovers: sum('takeovers'),
        denied: sum('denied'),
        seatMs: sum('seatMs'),
        uniqueUsers: await usage.uniqueUsers(org, startMs, startMs + DAY_MS),
      };
    }),
  );
}

/** Users of the present UTC day and of the present UTC month so far, at `nowMs`. */
export async function uniqueUsersNow(usage: Usage, org: string, nowMs: number) {
  const now = new Date(nowMs);
  const monthMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
  const [today, thisMonth] = await Promise.all([
    usage.uniqueUsers(org, nowMs, nowMs + 1),
    usage.uniqueUsers(org, monthMs, nowMs + 1),
  ]);
  return { today, thisMonth };
}
