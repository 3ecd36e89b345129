package io.soleseat.client;

import java.time.Duration;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Consumer;

/** Tells the broker that the person was at work, where the session has an idle limit. Belongs to the loop. */
final class IdleReport {
  private final Loop loop;
  private final Consumer<Map<String, Object>> send;
  /** Empty: this session has no limit, so nothing is told. */
  private OptionalLong everyMs = OptionalLong.empty();
  /** Negative infinity: nothing was sent so far. */
  private double sentMs = Double.NEGATIVE_INFINITY;
  private double activeMs = Double.NEGATIVE_INFINITY;
  private boolean isWarned = false;
  /** Null where no report waits. */
  private Loop.Timer timer = null;

  IdleReport(Loop loop, Consumer<Map<String, Object>> send) {
    this.loop = loop;
    this.send = send;
  }

  /** A `welcome` came, with the interval of its session. */
  void begin(OptionalLong reportEveryMs) {
    stop();
    everyMs = reportEveryMs; // [idle-untold]
  }

  /** The broker is about to end the session: the next report does not wait. */
  void warned() {
    isWarned = true;
    if (timer != null) report();
  }

  void activity(Duration idle) {
    if (everyMs.isEmpty()) return;
    double nowMs = nowMs();
    activeMs = Math.max(activeMs, nowMs - idle.toMillis());
    double waitMs = isWarned ? 0 : sentMs + everyMs.getAsLong() - nowMs; // [idle-warning]
    if (waitMs <= 0) report();
    else if (timer == null) timer = loop.after(waitMs, this::report); // [activity-spacing]
  }

  /** The connection is over, or the seat is gone. The next `hello` tells how things stand. */
  void stop() {
    everyMs = OptionalLong.empty();
    isWarned = false;
    cancel();
  }

  private void report() {
    cancel();
    isWarned = false;
    sentMs = nowMs();
    send.accept(Map.of("type", "activity", "idleMs", Math.max(0, Math.round(sentMs - activeMs)))); // [activity-latest]
  }

  private void cancel() {
    if (timer != null) timer.cancel();
    timer = null;
  }

  private static double nowMs() {
    return System.nanoTime() / 1e6;
  }
}
