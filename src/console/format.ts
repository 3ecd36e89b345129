const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const numbers = new Intl.NumberFormat();
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const dates = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

export function numberText(value: number): string {
  return numbers.format(value);
}

/** `1 session`, `2 sessions`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${numberText(count)} ${count === 1 ? one : many}`;
}

/** Like `3 minutes ago` or `in 2 days`. */
export function agoText(time: string, nowMs: number): string {
  const ms = Date.parse(time) - nowMs;
  const size = Math.abs(ms);
  // A server's clock may be a little ahead of the browser's.
  if (size < 10_000) return 'just now';
  if (size < MINUTE_MS) return relative.format(Math.trunc(ms / 1000), 'second');
  if (size < HOUR_MS) return relative.format(Math.trunc(ms / MINUTE_MS), 'minute');
  if (size < DAY_MS) return relative.format(Math.trunc(ms / HOUR_MS), 'hour');
  if (size < 60 * DAY_MS) return relative.format(Math.trunc(ms / DAY_MS), 'day');
  return dates.format(Date.parse(time));
}

export function absoluteText(time: string): string {
  return absolute.format(Date.parse(time));
}

export function dateText(time: string): string {
  return dates.format(Date.parse(time));
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
