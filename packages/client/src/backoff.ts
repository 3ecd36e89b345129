/** The waits between reconnects. */

export interface Backoff {
  /** The widest first wait, in milliseconds. */
  readonly firstMs: number;
  /** The widest wait of all, in milliseconds. */
  readonly maxMs: number;
}

export const defaultBackoff: Backoff = { firstMs: 500, maxMs: 30_000 };

/** The longest delay that `setTimeout` takes: above it, it fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Exponential backoff with full jitter: `random * min(maxMs, firstMs * 2^failures)`.
 * Spreading over the whole window, not around its end, is what keeps clients that lost the same node at
 * the same instant from coming back together (AWS, "Exponential Backoff And Jitter").
 */
export function fullJitter(failures: number, backoff: Backoff, random: () => number): number {
  return random() * Math.min(backoff.maxMs, backoff.firstMs * 2 ** failures); // [backoff-jitter]
}

/** What the closed connection said about the wait that follows. */
export interface WaitHints {
  /** From `draining`: come back somewhere within this time. */
  readonly drainWithinMs?: number;
  /** From `error`: not before this time. */
  readonly retryAfterMs?: number;
}

/** How long to wait before the next attempt, in milliseconds. */
export function waitBeforeReconnect(
  failures: number,
  hints: WaitHints,
  backoff: Backoff,
  random: () => number,
): number {
  const spread =
    hints.drainWithinMs === undefined
      ? fullJitter(failures, backoff, random)
      : random() * Math.min(hints.drainWithinMs, backoff.maxMs); // [drain-spread]
  // Added, not maximised: clients that were given the same `retryAfterMs` must not return in step.
  return Math.min((hints.retryAfterMs ?? 0) + spread, MAX_TIMER_MS); // [retry-after-ms]
}
