import { endOfDayMs, startOfDayMs } from '../base/calendar.js';
import { LAST_MS, readTime } from '../base/rfc3339.js';

/** When a license ends. */
export interface LicenseEnd {
  /** Unix ms. */
  readonly expiresAt: number;
  /** The last full day, where one was given: the license is shown by it. */
  readonly expiresOn?: string;
}

/** `2027-01-31`, as spreadsheets write it also `31.01.2027` or `2027/01/31`. */
const isoDay = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})$/;
const dottedDay = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/;

/**
 * Reads when a license ends: a time as in RFC 3339, or a day, which is the last full one in the org's time zone. Null for
 * anything else. `01/02/2027` is two days, as one reads it, and therefore none.
 */
export function readEnd(text: string, timeZone: string): LicenseEnd | null {
  const expiresAt = readTime(text);
  if (expiresAt !== null) return { expiresAt };
  const expiresOn = readDay(text);
  const end = expiresOn === null ? null : endOfDayMs(expiresOn, timeZone);
  return expiresOn === null || end === null ? null : { expiresAt: Math.min(end, LAST_MS), expiresOn };
}

/** Reads when a license begins, in Unix ms: a time, or a day, whose first moment in the org's time zone it is. Null for anything else. */
export function readStart(text: string, timeZone: string): number | null {
  const startsOn = readDay(text);
  return readTime(text) ?? (startsOn === null ? null : startOfDayMs(startsOn, timeZone));
}

/** A day as `2027-01-31`; null where the text is none, or there is no such day. */
function readDay(text: string): string | null {
  const [, year, month, day] = isoDay.exec(text) ?? [];
  const [, dottedDate, dottedMonth, dottedYear] = dottedDay.exec(text) ?? [];
  const parts = [year ?? dottedYear, month ?? dottedMonth, day ?? dottedDate];
  if (parts.some((part) => part === undefined)) return null;
  const iso = parts.map((part = '') => part.padStart(2, '0')).join('-');
  return readTime(`${iso}T00:00:00Z`) === null ? null : iso;
}
