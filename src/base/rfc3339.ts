/** RFC 3339, and nothing that Date.parse would guess at. */
const form = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i;

/** A time like `2027-01-31T00:00:00Z` in Unix ms; null where it is none. */
export function readTime(text: string): number | null {
  const ms = form.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}
