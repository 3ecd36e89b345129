package io.soleseat.client;

import java.util.function.DoubleSupplier;

/** Notices that the computer slept: a clock that goes on in sleep is then far ahead of one that does not. */
final class SleepDetector {
  static final double SLEPT_MS = 2_000;

  private final DoubleSupplier goesOnMs;
  private final DoubleSupplier awakeMs;
  private double lastGoesOnMs;
  private double lastAwakeMs;

  SleepDetector(SeatClock clock) {
    this(
        () -> Double.isNaN(clock.wallMs()) ? clock.nowMs() : clock.wallMs(),
        () -> System.nanoTime() / 1e6);
  }

  SleepDetector(DoubleSupplier goesOnMs, DoubleSupplier awakeMs) {
    this.goesOnMs = goesOnMs;
    this.awakeMs = awakeMs;
    lastGoesOnMs = goesOnMs.getAsDouble();
    lastAwakeMs = awakeMs.getAsDouble();
  }

  /** Whether the computer slept since the last look, or its wall clock was set forward. */
  boolean look() {
    double goesOn = goesOnMs.getAsDouble();
    double awake = awakeMs.getAsDouble();
    boolean slept = goesOn - lastGoesOnMs - (awake - lastAwakeMs) > SLEPT_MS;
    lastGoesOnMs = goesOn;
    lastAwakeMs = awake;
    return slept;
  }
}
