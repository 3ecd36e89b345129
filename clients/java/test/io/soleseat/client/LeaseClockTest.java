package io.soleseat.client;

import java.util.OptionalLong;

/** PROTOCOL.md, "The age of a lease". */
final class LeaseClockTest {
  private static final long TTL_MS = 26_999;

  private static final class Hand implements SeatClock {
    double nowMs = 0;
    double wallMs = Double.NaN;

    @Override
    public double nowMs() {
      return nowMs;
    }

    @Override
    public double wallMs() {
      return wallMs;
    }
  }

  private final Hand hand = new Hand();
  private final LeaseClock lease = new LeaseClock(hand);

  private void helloAt(double ms) {
    hand.nowMs = ms;
    lease.connected();
  }

  private void welcomeAt(double ms, long elapsedMs, long ttlMs) {
    hand.nowMs = ms;
    lease.granted(true, ttlMs, OptionalLong.of(elapsedMs), true);
  }

  private void leaseAt(double ms, long elapsedMs) {
    hand.nowMs = ms;
    lease.granted(false, TTL_MS, OptionalLong.of(elapsedMs), true);
  }

  private void untilIs(double ms) {
    Check.near(hand.nowMs + lease.leftMs().orElseThrow(), ms);
  }

  void worksOutTheExampleOfTheProtocol() {
    helloAt(1_000);
    Check.isTrue("no lease before the welcome", lease.leftMs().isEmpty() && !lease.holds());
    welcomeAt(1_400, 0, 26_998);
    untilIs(27_998);
    leaseAt(11_250, 10_000);
    // The base may rise by a thousandth of the time since the last message: by 9.85 ms here.
    untilIs(37_999 + 9.85);
    Check.isTrue("held before its end", lease.holds() && !lease.mustResume());
    hand.nowMs = 60_000;
    Check.isTrue("passed", !lease.holds());
    leaseAt(60_001, 20_000);
    Check.isTrue("what lay unread gives nothing", !lease.holds());
    Check.isTrue("it is late: resume", lease.mustResume());
    Check.isTrue("never later than the protocol allows", hand.nowMs + lease.leftMs().orElseThrow() < 48_110);
  }

  void endsExactlyAtUntil() {
    helloAt(0);
    welcomeAt(10, 0, 1_000);
    hand.nowMs = 999.9;
    Check.isTrue("held", lease.holds());
    hand.nowMs = 1_000;
    Check.isTrue("not held", !lease.holds());
  }

  void datesTheAnswerFromTheQuestion() {
    helloAt(0);
    welcomeAt(800, 0, TTL_MS);
    untilIs(TTL_MS);
    Check.isTrue("0.8 s is not late", !lease.mustResume());
  }

  void doubtsAConnectionThatIsBehindByMoreThanAThird() {
    helloAt(0);
    welcomeAt(0, 0, TTL_MS);
    leaseAt(9_900, 1_000);
    Check.isTrue("8.9 s is less than a third", lease.holds() && !lease.mustResume());
    leaseAt(12_000, 2_000);
    Check.isTrue("10 s is more: resume, and still hold", lease.holds() && lease.mustResume());
    double untilMs = hand.nowMs + lease.leftMs().orElseThrow();
    leaseAt(12_500, 12_500);
    untilIs(untilMs);
  }

  void asksAnewWithATakeover() {
    helloAt(0);
    hand.nowMs = 5;
    lease.heard(true, OptionalLong.of(0));
    hand.nowMs = 65_000;
    lease.asked();
    welcomeAt(65_400, 65_304, TTL_MS);
    untilIs(65_000 + TTL_MS);
  }

  void countsAnOlderBrokerFromReceipt() {
    helloAt(0);
    hand.nowMs = 500;
    lease.granted(true, TTL_MS, OptionalLong.empty(), true);
    untilIs(500 + TTL_MS);
  }

  void outlivesItsConnection() {
    helloAt(0);
    welcomeAt(10, 0, 1_000);
    lease.disconnected();
    Check.isTrue("held without a connection", lease.holds() && !lease.mustResume());
    hand.nowMs = 1_001;
    Check.isTrue("nothing to resume on", !lease.holds() && !lease.mustResume());
  }

  void takesTheNewestAlsoWhereItIsLess() {
    helloAt(0);
    welcomeAt(0, 0, 20_000);
    hand.nowMs = 1_000;
    lease.granted(false, 500, OptionalLong.of(1_000), true);
    untilIs(1_500);
  }

  void ignoresWhatDoesNotCount() {
    helloAt(0);
    hand.nowMs = 1;
    lease.granted(true, TTL_MS, OptionalLong.of(0), false);
    Check.isTrue("no lease", lease.leftMs().isEmpty() && !lease.mustResume());
  }

  void waitsInJeopardyForItsGrace() {
    helloAt(0);
    welcomeAt(0, 0, 1_000);
    hand.nowMs = 900;
    lease.inJeopardy(5_000, OptionalLong.of(900));
    hand.nowMs = 5_000;
    Check.isTrue("passed, and nothing to do yet", !lease.holds() && !lease.mustResume());
    hand.nowMs = 5_902;
    Check.isTrue("the grace is over", lease.mustResume());
  }

  void endsWhenTheWallClockShowsASleep() {
    hand.wallMs = 1_000_000;
    LeaseClock slept = new LeaseClock(hand);
    slept.connected();
    slept.granted(true, TTL_MS, OptionalLong.of(0), true);
    hand.nowMs += 1_000;
    hand.wallMs += 2_900;
    Check.isTrue("1.9 s further is no sleep", slept.holds());
    hand.nowMs += 1_000;
    hand.wallMs += 3_100;
    Check.isTrue("2.1 s further is one", !slept.holds() && slept.mustResume());
    slept.granted(false, TTL_MS, OptionalLong.of(2_000), true);
    Check.isTrue("nothing more counts on this connection", !slept.holds());
  }

  void doesNotAddUpJumpsOfTheWallClock() {
    hand.wallMs = 0;
    LeaseClock awake = new LeaseClock(hand);
    awake.connected();
    awake.granted(true, TTL_MS, OptionalLong.of(0), true);
    for (int look = 0; look < 20; look++) {
      hand.nowMs += 1_000;
      hand.wallMs += 1_900;
      Check.isTrue("held", awake.holds());
    }
    // Set back: that is no sleep either.
    hand.wallMs -= 3_600_000;
    Check.isTrue("held", awake.holds());
  }

  void isOfferedByThisSystem() {
    SeatClock clock = SeatClock.ofSystem();
    double before = clock.nowMs();
    Check.isTrue("it does not go back", clock.nowMs() >= before);
    boolean isLinux = System.getProperty("os.name").equals("Linux");
    Check.equal(Double.isNaN(clock.wallMs()), isLinux);
  }
}
