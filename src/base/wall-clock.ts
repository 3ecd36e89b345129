import type { Clock } from './clock.js';

/** Unix time in milliseconds. Only the ends of tokens are measured by it. */
export type WallClock = () => number;

/**
 * The time on which two of three clocks agree: the system's, Redis's, and what Redis's was at the start of this
 * node plus the monotonic time since. So no single clock that is set, here or there, ends a token or revives one.
 */
export function createWallClock(parts: {
  readonly systemMs: WallClock;
  /** Null while Redis has not been heard. */
  readonly storeMs: () => number | null;
  readonly clock: Clock;
}): WallClock {
  let startOffsetMs: number | null = null;
  return () => {
    const systemMs = parts.systemMs();
    const storeMs = parts.storeMs();
    if (storeMs === null) return systemMs;
    startOffsetMs ??= storeMs - parts.clock();
    return median(systemMs, storeMs, parts.clock() + startOffsetMs);
  };
}

function median(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
