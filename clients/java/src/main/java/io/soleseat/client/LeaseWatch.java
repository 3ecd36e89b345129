package io.soleseat.client;

import java.time.Duration;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/** Looks at the lease clock when the lease ends, and every second. Belongs to the loop, except for the two questions. */
final class LeaseWatch {
  /** Timers stand still in sleep, and a wall clock may be set at any time: so often it is looked. */
  private static final double LOOK_EVERY_MS = 1_000;
  /** After a stall what lies in the socket is read first: an eviction there says more than a conflict later. */
  private static final double READ_MS = 250;

  interface Events {
    /** The lease passed. Called once for each time that {@code held} was. */
    void leaseExpired(long deadlineNanos);

    /** The connection has to be replaced. */
    void fellBehind();

    /** The computer slept. The lease has been judged already. */
    void slept();
  }

  final LeaseClock lease;
  private final Loop loop;
  private final Events events;
  private final SleepDetector sleep;
  private boolean isHeld = false;
  private boolean isWatching = false;
  private Loop.Timer lookTimer = Loop.Timer.NONE;
  private Loop.Timer readTimer = null;

  LeaseWatch(Loop loop, SeatClock clock, Events events) {
    this.loop = loop;
    this.events = events;
    lease = new LeaseClock(clock);
    sleep = new SleepDetector(clock);
  }

  /** When the lease ends, on the scale of {@code System.nanoTime}; empty where there is none. Any thread may ask. */
  OptionalLong deadlineNanos() {
    OptionalDouble leftMs = lease.leftMs();
    return leftMs.isEmpty() ? OptionalLong.empty() : OptionalLong.of(nanosIn(leftMs.getAsDouble()));
  }

  /** How long the seat may be counted on; zero where there is no lease. Any thread may ask. */
  Duration left() {
    return Duration.ofNanos((long) (Math.max(0, lease.leftMs().orElse(0)) * 1e6));
  }

  /** Listeners are told that the seat is here: that it no longer is will be told too. */
  void held() {
    isHeld = true;
  }

  /** Attempts go on, or a connection is there. */
  void start() {
    if (isWatching) return;
    isWatching = true;
    look();
  }

  /** There is nothing to watch any more. */
  void stop() {
    isWatching = false;
    look();
  }

  /** Something has happened that changes what the clock says. */
  void look() {
    boolean slept = sleep.look();
    judge(lease.leftMs());
    if (slept) events.slept();
    lookTimer.cancel();
    OptionalDouble leftMs = lease.leftMs();
    if (!isWatching && leftMs.isEmpty()) return;
    double nextMs = leftMs.isPresent() && leftMs.getAsDouble() > 0 ? leftMs.getAsDouble() : LOOK_EVERY_MS;
    lookTimer = loop.after(Math.min(Math.ceil(nextMs), LOOK_EVERY_MS), this::look);
  }

  private void judge(OptionalDouble leftMs) {
    if (leftMs.isEmpty()) {
      // There is no lease, and its end was told otherwise.
      isHeld = false;
      if (readTimer != null) readTimer.cancel();
      readTimer = null;
      return;
    }
    if (lease.mustResume()) replaceSoon();
    if (leftMs.getAsDouble() > 0 || !isHeld) return;
    isHeld = false;
    events.leaseExpired(nanosIn(leftMs.getAsDouble()));
  }

  private void replaceSoon() {
    if (readTimer != null) return;
    readTimer =
        loop.after(
            READ_MS,
            () -> {
              readTimer = null;
              if (lease.mustResume()) events.fellBehind();
            });
  }

  private static long nanosIn(double ms) {
    return System.nanoTime() + (long) (ms * 1e6);
  }
}
