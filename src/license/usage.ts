import { dayOf, type Stretch, stretchAround, stretchesOf } from '../base/calendar.js';
import type { Usage, UsageCounts } from '../store/usage.js';

const QUARTER_MS = 900_000;
const HOUR_MS = 4 * QUARTER_MS;
const DAY_MS = 24 * HOUR_MS;
/** Asked of Redis in one go. */
const HOURS_AT_ONCE = 240;
const DAYS_AT_ONCE = 10;

/** The usage of an hour or a day of the org's time zone. */
export interface UsageRow extends UsageCounts, Stretch {
  /**
   * It begins or ends within an hour of UTC of which the quarters are not kept: all that happened in that hour counts for
   * what begins in it.
   */
  readonly wholeHours: boolean;
}

export interface DayRow extends UsageRow {
  /** The day, as `2026-11-25`. */
  readonly day: string;
  readonly uniqueUsers: number;
  /** Its users are those of a whole day of UTC: version 0.1 kept them by that only. */
  readonly usersOfUtcDay: boolean;
}

export interface Span {
  readonly fromMs: number;
  /** Until before then. */
  readonly untilMs: number;
  readonly timeZone: string;
}

/** One row for every hour of the zone that has a moment in the span. */
export function usageByHour(usage: Usage, org: string, span: Span): Promise<UsageRow[]> {
  return rowsOf(usage, org, stretchesOf('hour', span.fromMs, span.untilMs, span.timeZone));
}

/** One row for every day of the zone that has a moment in the span. */
export async function usageByDay(usage: Usage, org: string, span: Span): Promise<DayRow[]> {
  const rows = await rowsOf(usage, org, stretchesOf('day', span.fromMs, span.untilMs, span.timeZone));
  return someAtATime(rows, DAYS_AT_ONCE, (some) =>
    Promise.all(
      some.map(async (row) => ({
        ...row,
        day: dayOf(row.startMs, span.timeZone),
        ...(await usersOf(usage, org, row)),
      })),
    ),
  );
}

/** Users of the present day and of the present month of a zone, at `nowMs`. */
export async function uniqueUsersNow(usage: Usage, org: string, nowMs: number, timeZone: string) {
  const [today, thisMonth] = await Promise.all([
    usersOf(usage, org, stretchAround(nowMs, 'day', timeZone)),
    usersOf(usage, org, stretchAround(nowMs, 'month', timeZone)),
  ]);
  return { today: today.uniqueUsers, thisMonth: thisMonth.uniqueUsers };
}

/** The stretches follow each other without a gap: each hour is read once. */
async function rowsOf(usage: Usage, org: string, stretches: readonly Stretch[]): Promise<UsageRow[]> {
  const first = stretches[0];
  const last = stretches.at(-1);
  if (first === undefined || last === undefined) return [];
  const starts = startsIn(floor(first.startMs, HOUR_MS), last.endMs, HOUR_MS);
  const read = await someAtATime(starts, HOURS_AT_ONCE, (some) => usage.hours(org, some));
  const hours = new Map(starts.map((start, index) => [start, read[index] ?? nothing]));
  const split = new Map<number, SplitHour>();
  const borders = [first.startMs, ...stretches.map(({ endMs }) => endMs)];
  await Promise.all(
    borders.map(async (border) => {
      const hour = floor(border, HOUR_MS);
      const whole = hours.get(hour);
      if (hour === border || whole === undefined || isNothing(whole)) return;
      split.set(
        hour,
        splitHour(whole, await usage.quarters(org, startsIn(hour, hour + HOUR_MS, QUARTER_MS))),
      );
    }),
  );
  return stretches.map((stretch) => rowOf(stretch, hours, split));
}

/** Does the work for some of them at a time, so that others have their turn between. */
async function someAtATime<One, Done>(
  all: readonly One[],
  atOnce: number,
  work: (some: readonly One[]) => Promise<readonly Done[]>,
): Promise<Done[]> {
  const done: Done[] = [];
  for (let from = 0; from < all.length; from += atOnce) {
    done.push(...(await work(all.slice(from, from + atOnce))));
  }
  return done;
}

/** An hour in which something was counted, and within which a day begins. */
interface SplitHour {
  readonly quarters: readonly UsageCounts[];
  /** What no quarter has: of version 0.1, or of quarters that are kept no more. */
  readonly rest: UsageCounts;
}

function splitHour(whole: UsageCounts, quarters: readonly UsageCounts[]): SplitHour {
  const known = sumOf(quarters);
  const left = (field: keyof UsageCounts) => Math.max(0, whole[field] - known[field]);
  const rest = {
    peak: whole.peak > known.peak ? whole.peak : 0,
    granted: left('granted'),
    resumed: left('resumed'),
    takeovers: left('takeovers'),
    denied: left('denied'),
    seatMs: left('seatMs'),
  };
  return { quarters, rest };
}

function rowOf(
  stretch: Stretch,
  hours: ReadonlyMap<number, UsageCounts>,
  split: ReadonlyMap<number, SplitHour>,
): UsageRow {
  const { startMs, endMs } = stretch;
  let wholeHours = false;
  const counts = startsIn(floor(startMs, HOUR_MS), endMs, HOUR_MS).flatMap((hour) => {
    const border = split.get(hour);
    if (border === undefined) return [hours.get(hour) ?? nothing];
    const within = border.quarters.filter((_, index) => {
      const at = hour + index * QUARTER_MS;
      return at >= startMs && at < endMs;
    });
    if (!isNothing(border.rest)) wholeHours = true;
    // What no quarter has counts for what begins in this hour: once, and for the same one at each look.
    return startMs > hour ? [...within, border.rest] : within;
  });
  return { startMs, endMs, ...sumOf(counts), wholeHours };
}

/**
 * The different users of a stretch, from as few sets as make it up. A day of UTC of which version 0.1 kept no hours counts
 * where its middle lies.
 */
async function usersOf(usage: Usage, org: string, { startMs, endMs }: Stretch) {
  const days: number[] = [];
  const hours: number[] = [];
  const quarters: number[] = [];
  let usersOfUtcDay = false;
  for (const day of startsIn(floor(startMs, DAY_MS), endMs, DAY_MS)) {
    const from = Math.max(startMs, day);
    const until = Math.min(endMs, day + DAY_MS);
    const isWhole = from === day && until === day + DAY_MS;
    const isComplete = isWhole || (await hasHours(usage, org, day));
    if (!isComplete) usersOfUtcDay = true;
    if (isWhole || (!isComplete && isBetween(day + DAY_MS / 2, startMs, endMs))) days.push(day);
    if (!isWhole && isComplete)
      await addHours(usage, org, { startMs: from, endMs: until }, { hours, quarters });
  }
  return { uniqueUsers: await usage.users(org, { days, hours, quarters }), usersOfUtcDay };
}

/** Sets of users unite without loss: the hours are all there where together they have as many as the day. */
async function hasHours(usage: Usage, org: string, day: number): Promise<boolean> {
  const none = { days: [], hours: [], quarters: [] };
  const hours = startsIn(day, day + DAY_MS, HOUR_MS);
  const [ofDay, ofHours] = await Promise.all([
    usage.users(org, { ...none, days: [day] }),
    usage.users(org, { ...none, hours }),
  ]);
  return ofHours >= ofDay;
}

/** Adds the hours of a stretch, and quarters at its borders; where those are kept no more, the hour to what begins in it. */
async function addHours(
  usage: Usage,
  org: string,
  { startMs, endMs }: Stretch,
  to: { readonly hours: number[]; readonly quarters: number[] },
): Promise<void> {
  for (const hour of startsIn(floor(startMs, HOUR_MS), endMs, HOUR_MS)) {
    if (hour >= startMs && hour + HOUR_MS <= endMs) {
      to.hours.push(hour);
      continue;
    }
    const all = startsIn(hour, hour + HOUR_MS, QUARTER_MS);
    const [ofHour, ofQuarters] = await Promise.all([
      usage.users(org, { days: [], hours: [hour], quarters: [] }),
      usage.users(org, { days: [], hours: [], quarters: all }),
    ]);
    if (ofQuarters >= ofHour) to.quarters.push(...all.filter((at) => isBetween(at, startMs, endMs)));
    else if (startMs > hour) to.hours.push(hour);
  }
}

const nothing: UsageCounts = { peak: 0, granted: 0, resumed: 0, takeovers: 0, denied: 0, seatMs: 0 };

function isNothing(counts: UsageCounts): boolean {
  return Object.values(counts).every((count) => count === 0);
}

function sumOf(all: readonly UsageCounts[]): UsageCounts {
  const sum = (field: keyof UsageCounts) => all.reduce((total, one) => total + one[field], 0);
  return {
    peak: Math.max(0, ...all.map(({ peak }) => peak)),
    granted: sum('granted'),
    resumed: sum('resumed'),
    takeovers: sum('takeovers'),
    denied: sum('denied'),
    seatMs: sum('seatMs'),
  };
}

function startsIn(fromMs: number, untilMs: number, everyMs: number): number[] {
  return Array.from(
    { length: Math.ceil((untilMs - fromMs) / everyMs) },
    (_, index) => fromMs + index * everyMs,
  );
}

const floor = (ms: number, unitMs: number) => Math.floor(ms / unitMs) * unitMs;
const isBetween = (ms: number, fromMs: number, untilMs: number) => ms >= fromMs && ms < untilMs;
