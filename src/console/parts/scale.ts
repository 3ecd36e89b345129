/** A scale for values from `low` to `high`, in steps that people count in, with about so many of them. */
export function niceScale(low: number, high: number, steps = 3): readonly number[] {
  const span = Math.max(high - low, 1e-9);
  const rough = span / steps;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? rough;
  const first = Math.floor(low / step) * step;
  const ticks: number[] = [];
  for (let index = 0; ; index += 1) {
    // Multiplied, not added up: 0.1 + 0.2 is no tick.
    const tick = Number((first + index * step).toPrecision(12));
    ticks.push(tick);
    if (tick >= high) return ticks;
  }
}

/** A scale of whole numbers that begins at 0 unless the values are far from it. */
export function countScale(values: readonly number[]): readonly number[] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const from = low > high * 0.6 && low > 20 ? low - Math.max(2, (high - low) * 0.5) : 0;
  return niceScale(from, Math.max(high, from + 4)).filter((tick) => Number.isInteger(tick));
}
