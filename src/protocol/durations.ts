const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** The ms of a duration as people type it: `30m`, `12h`, `7d`, `90s`. Null for any other text. */
export function durationIn(text: string): number | null {
  const [, number, unit] = /^(\d{1,6})([smhd])$/.exec(text.trim()) ?? [];
  const found = units.find(([name]) => name === unit);
  return found === undefined ? null : Number(number) * found[1];
}

/** A duration in the largest unit that it is a whole number of, as `durationIn` reads it; below a second in ms. */
export function shortDuration(ms: number): string {
  const unit = units.find(([, size]) => ms >= size && ms % size === 0);
  return unit === undefined ? `${ms} ms` : `${ms / unit[1]}${unit[0]}`;
}
