/** RFC 3339, and nothing that Date.parse would guess at. */
const form = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i;
/** What can be written with a year of four digits, in UTC too. */
const FIRST_MS = Date.parse('0001-01-01T00:00:00Z');
export const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');

/** A time like `2027-01-31T00:00:00Z` in Unix ms; null where it is none. */
export function readTime(text: string): number | null {
  const date = form.exec(text)?.[1];
  if (date === undefined || !isDate(date)) return null;
  const ms = Date.parse(text);
  return ms >= FIRST_MS && ms <= LAST_MS ? ms : null;
}

/** Whether the text is a day like `2027-01-31`. */
export function isDay(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && readTime(`${text}T00:00:00Z`) !== null;
}

/** Date.parse takes the 30th of February for the 2nd of March. */
function isDate(date: string): boolean {
  const ms = Date.parse(date);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date);
}
