package io.soleseat.client;

import java.util.OptionalLong;
import java.util.function.DoubleSupplier;

/** The waits between attempts, in milliseconds. {@code random} gives numbers from 0 up to, not including, 1. */
record Backoff(long firstMs, long maxMs, DoubleSupplier random) {
  /** The longest wait of all, 24 days: no broker means more. */
  static final long LONGEST_MS = Integer.MAX_VALUE;
  private static final int MOST_DOUBLINGS = 62;

  /**
   * Exponential backoff with full jitter: random × min(maxMs, firstMs × 2^failures). Spreading over the whole window keeps
   * clients that lost the same node at the same moment from coming back together.
   */
  long fullJitterMs(int failures) {
    double widestMs = Math.min(maxMs, firstMs * Math.pow(2, Math.min(failures, MOST_DOUBLINGS)));
    return (long) (random.getAsDouble() * widestMs); // [backoff-jitter]
  }

  /** How long to wait before the next attempt. */
  long beforeReconnectMs(int failures, OptionalLong drainWithinMs, long retryAfterMs) {
    long spreadMs =
        drainWithinMs.isPresent()
            ? (long) (random.getAsDouble() * Math.min(drainWithinMs.getAsLong(), maxMs)) // [drain-spread]
            : fullJitterMs(failures);
    // Added, not the larger of the two: clients that were told the same time must not come back in step.
    return Math.min(LONGEST_MS, Math.min(LONGEST_MS, retryAfterMs) + spreadMs); // [retry-after-ms]
  }
}
