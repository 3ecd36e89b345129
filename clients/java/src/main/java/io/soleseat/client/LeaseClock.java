package io.soleseat.client;

import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * Reckons until when the seat may be counted on: PROTOCOL.md, "The age of a lease". It has no timers, and any thread may ask
 * it. All times are milliseconds.
 *
 * <p>promise 15: a message tells its age, so one that waited in a buffer gives nothing. The node cannot answer before it is
 * asked: its answer is dated from the question, and every later message can only move that base back.
 */
final class LeaseClock {
  /** The wall clock of a computer that is awake goes no further than this ahead of its monotonic clock, between two looks. */
  private static final double SLEPT_MS = SleepDetector.SLEPT_MS;
  /** A node's clock may run slower than this one by a thousandth: many times what quartz does. */
  private static final double SLEW = 0.001;
  private static final double MOST_SLEW_MS = 100;

  /** What is known of one connection, from its `hello` on. */
  private static final class Link {
    /** When the question was sent that is not answered yet; NaN where there is none. */
    double askedMs;
    double baseMs;
    /** When the latest message came that told its age. */
    double heardMs;
    /** The latest lease that this connection gave; NaN where it gave none, or where the lease is gone. */
    double ttlMs = Double.NaN;
    double graceUntilMs;
    /** Nothing that comes on this connection counts any more: it has to be replaced. */
    boolean isDoubted = false;

    Link(double nowMs) {
      askedMs = baseMs = heardMs = graceUntilMs = nowMs;
    }
  }

  private final SeatClock clock;
  private Link link = null;
  /** Outlives the connection. NaN where there is no lease. */
  private double untilMs = Double.NaN;
  private double lookedMs;
  private double lookedWallMs;

  LeaseClock(SeatClock clock) {
    this.clock = clock;
    lookedMs = clock.nowMs();
    lookedWallMs = clock.wallMs();
  }

  /** `hello` goes out on a new connection. What the one before said of its node's beginning is void. */
  synchronized void connected() {
    link = new Link(look());
  }

  /** `takeover` goes out: what is granted for it was granted after this. */
  synchronized void asked() {
    double nowMs = look();
    if (link == null) return;
    link.askedMs = nowMs;
    link.isDoubted = false;
  }

  /** The connection is over. The lease outlives it. */
  synchronized void disconnected() {
    look();
    link = null; // [lease-outlives]
  }

  /** A welcome or a lease. {@code counts} is false for one that is not of this session. */
  synchronized void granted(boolean isAnswer, long ttlMs, OptionalLong elapsedMs, boolean counts) {
    double nowMs = look();
    if (link == null) return;
    double sentMs = dated(isAnswer, elapsedMs, nowMs);
    if (counts) {
      link.ttlMs = ttlMs;
      link.graceUntilMs = nowMs;
      // The newest decides, also when it is less.
      if (!link.isDoubted) untilMs = sentMs + ttlMs; // [lease-newest]
    }
    doubtIfLate(nowMs, sentMs);
  }

  /** The node tries on for that long. */
  synchronized void inJeopardy(long graceMs, OptionalLong elapsedMs) {
    double nowMs = look();
    if (link == null) return;
    double sentMs = dated(false, elapsedMs, nowMs);
    link.graceUntilMs = sentMs + graceMs; // [jeopardy-until]
    doubtIfLate(nowMs, sentMs);
  }

  /** Any other message that tells its age. Gives how long it was under way, in milliseconds. */
  synchronized double heard(boolean isAnswer, OptionalLong elapsedMs) {
    double nowMs = look();
    if (link == null) return 0;
    double sentMs = dated(isAnswer, elapsedMs, nowMs);
    doubtIfLate(nowMs, sentMs);
    return nowMs - sentMs;
  }

  /** The lease is gone, known otherwise: nothing is kept, so nothing has to be resumed. */
  synchronized void clear() {
    untilMs = Double.NaN;
    if (link != null) link.ttlMs = Double.NaN;
  }

  /** promise 15: whether the seat may be counted on at this moment. */
  synchronized boolean holds() {
    return look() < untilMs; // [lease-until]
  }

  /** Time left, negative when it has passed; empty where there is no lease. */
  synchronized OptionalDouble leftMs() {
    double nowMs = look();
    return Double.isNaN(untilMs) ? OptionalDouble.empty() : OptionalDouble.of(untilMs - nowMs);
  }

  /**
   * Whether the session has to be resumed on another connection: this one is behind, or its lease has passed. In jeopardy a
   * lease passes without that: the node tries on, and no other one does better without Redis.
   */
  synchronized boolean mustResume() {
    double nowMs = look();
    if (link == null || Double.isNaN(link.ttlMs)) return false;
    boolean hasPassed = !(nowMs < untilMs);
    return link.isDoubted || (hasPassed && nowMs >= link.graceUntilMs); // [lease-passed]
  }

  private void doubtIfLate(double nowMs, double sentMs) {
    // False where ttlMs is NaN.
    if (nowMs - sentMs > link.ttlMs / 3) link.isDoubted = true; // [lease-behind]
  }

  /** When the node wrote a message, at the latest, on this clock. */
  private double dated(boolean isAnswer, OptionalLong elapsedMs, double nowMs) {
    double askedMs = isAnswer ? link.askedMs : Double.NaN;
    if (isAnswer) link.askedMs = Double.NaN;
    // A broker from before the age of leases: what it says counts from receipt.
    if (elapsedMs.isEmpty()) return nowMs; // [lease-legacy]
    double elapsed = elapsedMs.getAsLong();
    double slewMs = Math.min((nowMs - link.heardMs) * SLEW, MOST_SLEW_MS);
    link.baseMs = Double.isNaN(askedMs) ? Math.min(link.baseMs + slewMs, nowMs - elapsed) : askedMs - elapsed; // [lease-base]
    link.heardMs = nowMs;
    return link.baseMs + elapsed;
  }

  /** Reads the clocks. Two are never added up: a jump of the wall clock only ends what was counted on. */
  private double look() {
    double nowMs = clock.nowMs(); // [lease-no-wall]
    double wallMs = clock.wallMs();
    if (wallMs - lookedWallMs - (nowMs - lookedMs) > SLEPT_MS) {
      untilMs = Math.min(untilMs, nowMs); // [lease-clock]
      if (link != null) link.isDoubted = true;
    }
    lookedMs = nowMs;
    lookedWallMs = wallMs;
    return nowMs;
  }
}
