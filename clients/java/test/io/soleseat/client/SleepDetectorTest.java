package io.soleseat.client;

final class SleepDetectorTest {
  private double goesOnMs = 50;
  private double awakeMs = 7_000;
  private final SleepDetector sleep = new SleepDetector(() -> goesOnMs, () -> awakeMs);

  private boolean after(double goesOn, double awake) {
    goesOnMs += goesOn;
    awakeMs += awake;
    return sleep.look();
  }

  void noticesASleepOnce() {
    Check.isTrue("awake", !after(1_000, 1_000));
    Check.isTrue("slept", after(60_000, 1_000));
    Check.isTrue("told already", !after(1_000, 1_000));
  }

  void takesAStandstillOfTheProcessForNoSleep() {
    Check.isTrue("both clocks went on", !after(60_000, 60_000));
  }

  void doesNotAddUpSmallSteps() {
    for (int look = 0; look < 10; look++) Check.isTrue("awake", !after(1_900, 0));
  }
}
