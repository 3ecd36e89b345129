package io.soleseat.client;

/** What a lease is reckoned by. All in milliseconds. */
interface SeatClock {
  /** From any beginning. Never goes back. */
  double nowMs();

  /**
   * The wall clock, for a {@code nowMs} that stands still while the computer sleeps; NaN for one that goes on. It only shows
   * that the computer slept: nobody measures with it.
   */
  double wallMs();

  /** The clock of this system. */
  static SeatClock ofSystem() {
    return BoottimeClock.isThere() ? new BoottimeClock() : new ComparedClock();
  }

  /** {@code System.nanoTime}, which stands still in sleep on macOS, beside the wall clock. */
  final class ComparedClock implements SeatClock {
    @Override
    public double nowMs() {
      return System.nanoTime() / 1e6;
    }

    @Override
    public double wallMs() {
      return System.currentTimeMillis();
    }
  }
}
