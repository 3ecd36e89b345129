package io.soleseat.client;

/** The clocks of a Mac: the monotonic one stands still in sleep, the wall clock goes on. */
public final class SleepingClock implements SeatClock {
  private static final double HOUR_MS = 3_600_000;

  private volatile double sleptMs = 0;

  /** As the lid of a laptop is closed for an hour. The next look finds out. */
  public void sleepAnHour() {
    sleptMs = sleptMs + HOUR_MS;
  }

  public SeatClient connect(SeatClientBuilder builder) {
    return builder.connect(this);
  }

  @Override
  public double nowMs() {
    return System.nanoTime() / 1e6;
  }

  @Override
  public double wallMs() {
    return System.currentTimeMillis() + sleptMs;
  }
}
