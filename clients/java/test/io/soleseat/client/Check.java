package io.soleseat.client;

import java.util.Objects;

/** What tests claim. */
final class Check {
  private static final double ROUNDING = 1e-6;

  private Check() {}

  interface Action {
    void run() throws Exception;
  }

  static void equal(Object actual, Object expected) {
    if (!Objects.equals(actual, expected)) throw new AssertionError("is " + actual + ", not " + expected);
  }

  static void near(double actual, double expected) {
    if (!(Math.abs(actual - expected) < ROUNDING)) throw new AssertionError("is " + actual + ", not " + expected);
  }

  static void isTrue(String what, boolean claim) {
    if (!claim) throw new AssertionError("not so: " + what);
  }

  /** The action throws that, with a message that has the part. */
  static void fails(Class<? extends Throwable> type, String part, Action action) throws Exception {
    try {
      action.run();
    } catch (Exception fault) {
      boolean isIt = type.isInstance(fault) && String.valueOf(fault.getMessage()).contains(part);
      if (isIt) return;
      throw fault;
    }
    throw new AssertionError("did not throw " + type.getSimpleName());
  }
}
