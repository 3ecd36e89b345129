import { DateTime, IANAZone } from 'luxon';

/** Whether a time zone is one of the IANA database, as `Europe/Berlin` or `UTC`. */
export function isTimeZone(name: string): boolean {
  return IANAZone.isValidZone(name);
}

/** The first instant after a day (`2027-01-31`) in a zone, in Unix ms; null where there is no such day. */
export function endOfDayMs(day: string, zone: string): number | null {
  const start = DateTime.fromISO(day, { zone });
  const next = start.plus({ days: 1 }).startOf('day');
  return start.isValid && next.isValid ? next.toMillis() : null;
}

/** The day that an instant (Unix ms) falls on in a zone. */
export function dayOf(ms: number, zone: string): string {
  return DateTime.fromMillis(ms, { zone }).toISODate() ?? '';
}

/** What the clocks of a zone show, like `2027-01-31 09:30`. */
export function clockOf(ms: number, zone: string): string {
  return DateTime.fromMillis(ms, { zone }).toFormat('yyyy-MM-dd HH:mm');
}

const HOUR_MS = 3_600_000;

/** The first instant of a day (`2027-01-31`) in a zone, in Unix ms; null where there is no such day. */
export function startOfDayMs(day: string, zone: string): number | null {
  const start = DateTime.fromISO(day, { zone }).startOf('day');
  return start.isValid ? start.toMillis() : null;
}

/** A stretch of time: from `startMs` until before `endMs` (Unix ms). */
export interface Stretch {
  readonly startMs: number;
  readonly endMs: number;
}

/** The day, or the month, of a zone that an instant (Unix ms) falls on. A day has 23 to 25 hours. */
export function stretchAround(ms: number, unit: 'day' | 'month', zone: string): Stretch {
  const start = DateTime.fromMillis(ms, { zone }).startOf(unit);
  const next = start.plus({ [unit]: 1 }).startOf(unit);
  return { startMs: start.toMillis(), endMs: next.toMillis() };
}

/** The hours, or the days, of a zone that have a moment from `fromMs` until before `untilMs`, without a gap. */
export function stretchesOf(unit: 'hour' | 'day', fromMs: number, untilMs: number, zone: string): Stretch[] {
  const startMs =
    unit === 'day' ? stretchAround(fromMs, 'day', zone).startMs : nextHourMs(fromMs, zone) - HOUR_MS;
  const found: Stretch[] = [];
  for (let at = startMs; at < untilMs; ) {
    const endMs = unit === 'day' ? stretchAround(at, 'day', zone).endMs : nextHourMs(at, zone);
    found.push({ startMs: at, endMs });
    at = endMs;
  }
  return found;
}

/** When the next hour of the zone's clocks begins: zones may be half an hour or a quarter from the hours of UTC. */
function nextHourMs(ms: number, zone: string): number {
  const offsetMs = IANAZone.create(zone).offset(ms) * 60_000;
  return ms + HOUR_MS - ((((ms + offsetMs) % HOUR_MS) + HOUR_MS) % HOUR_MS);
}
