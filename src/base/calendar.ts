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
