package io.soleseat.client;

import java.util.OptionalLong;

final class BackoffTest {
  private static Backoff with(double random) {
    return new Backoff(500, 30_000, () -> random);
  }

  void doublesWithEachFailureUpToTheLongest() {
    Backoff widest = with(0.999999);
    Check.equal(widest.fullJitterMs(0), 499L);
    Check.equal(widest.fullJitterMs(1), 999L);
    Check.equal(widest.fullJitterMs(5), 15_999L);
    Check.equal(widest.fullJitterMs(6), 29_999L);
    Check.equal(widest.fullJitterMs(100_000), 29_999L);
  }

  void spreadsOverTheWholeWindow() {
    Check.equal(with(0).fullJitterMs(9), 0L);
    Check.equal(with(0.5).fullJitterMs(9), 15_000L);
  }

  void spreadsADrainOverItsTime() {
    Check.equal(with(0.5).beforeReconnectMs(9, OptionalLong.of(1_000), 0), 500L);
    Check.equal(with(0.5).beforeReconnectMs(0, OptionalLong.of(Long.MAX_VALUE), 0), 15_000L);
  }

  void addsWhatTheBrokerAsksFor() {
    Check.equal(with(0.5).beforeReconnectMs(0, OptionalLong.empty(), 2_000), 2_250L);
    Check.equal(with(0.5).beforeReconnectMs(0, OptionalLong.empty(), Long.MAX_VALUE), Backoff.LONGEST_MS);
  }
}
