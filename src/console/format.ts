const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const numbers = new Intl.NumberFormat();
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

export function numberText(value: number): string {
  return numbers.format(value);
}

/** `1 session`, `2 sessions`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${numberText(count)} ${count === 1 ? one : many}`;
}

/** Like `3 minutes ago` or `in 2 days`; what is far away by its day in the zone, the browser's own where none is named. */
export function agoText(time: string, nowMs: number, zone?: string): string {
  const ms = Date.parse(time) - nowMs;
  const size = Math.abs(ms);
  // A server's clock may be a little ahead of the browser's.
  if (size < 10_000) return 'just now';
  if (size < MINUTE_MS) return relative.format(Math.trunc(ms / 1000), 'second');
  if (size < HOUR_MS) return relative.format(Math.trunc(ms / MINUTE_MS), 'minute');
  if (size < DAY_MS) return relative.format(Math.trunc(ms / HOUR_MS), 'hour');
  if (size < 60 * DAY_MS) return relative.format(Math.trunc(ms / DAY_MS), 'day');
  return inZone({ dateStyle: 'medium' }, zone).format(Date.parse(time));
}

/** Day, time and zone. */
export function absoluteText(time: string, zone?: string): string {
  const parts = { year: 'numeric', month: 'short', day: 'numeric' } as const;
  const clocks = { hour: 'numeric', minute: '2-digit', second: '2-digit', timeZoneName: 'short' } as const;
  return inZone({ ...parts, ...clocks }, zone).format(Date.parse(time));
}

/** The day of a moment in a zone, as `2027-01-31`. */
export function dayIn(zone: string, time: string): string {
  return swedish({ year: 'numeric', month: '2-digit', day: '2-digit', timeZone: zone }).format(
    Date.parse(time),
  );
}

interface End {
  readonly expiresAt: string | null;
  readonly expiresOn: string | null;
}

/** When a license ends: the last day as it was given, or the moment by the clocks of the org's zone. */
export function endText({ expiresAt, expiresOn }: End, zone: string | undefined): string {
  if (expiresAt === null) return 'never';
  if (expiresOn !== null) return expiresOn;
  // Without the zone nobody knows which day that is.
  if (zone === undefined) return '…';
  const time = swedish({ hour: '2-digit', minute: '2-digit', timeZone: zone }).format(Date.parse(expiresAt));
  return `${dayIn(zone, expiresAt)} ${time}`;
}

/** Swedish writes days and times as ISO 8601 does. */
function swedish(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('sv-SE', options);
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Formats are costly to make, and each row of a table asks for one. */
function inZone(options: Intl.DateTimeFormatOptions, zone: string | undefined): Intl.DateTimeFormat {
  const key = JSON.stringify([options, zone]);
  const format =
    formats.get(key) ??
    new Intl.DateTimeFormat(undefined, { ...options, ...(zone !== undefined && { timeZone: zone }) });
  formats.set(key, format);
  return format;
}

export function clockText(atMs: number): string {
  return clock.format(atMs);
}

/** Like `850 µs`, `12 ms` or `1.4 s`. */
export function durationText(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < MINUTE_MS) return `${Math.round(ms / 1000)} s`;
  return counted(Math.trunc(ms / MINUTE_MS), 'minute');
}

/** A reason or a type as words: `taken_over` is `taken over`. */
export function wordsOf(name: string): string {
  return name.replaceAll('_', ' ');
}

/** Enough of an id to tell it from others: the last characters, as ids of one time begin alike. */
export function shortId(id: string): string {
  return id.length > 12 ? `…${id.slice(-8)}` : id;
}

/** The share of a whole from 0 to 1. */
export function share(part: number, whole: number): number {
  return whole <= 0 ? 1 : Math.min(1, Math.max(0, part / whole));
}
