package io.soleseat.client;

import java.time.Duration;
import java.util.Optional;

final class OptionsTest {
  void refusesWhatTheBrokerWould() throws Exception {
    Check.fails(IllegalArgumentException.class, "empty", () -> Machine.of(""));
    Check.fails(IllegalArgumentException.class, "128", () -> Machine.of("ü".repeat(65)));
    Check.fails(IllegalArgumentException.class, "control", () -> Machine.of("a\nb"));
    Check.fails(IllegalArgumentException.class, "control", () -> Machine.of("a").withName("\u202eevil"));
    Check.fails(IllegalArgumentException.class, "control", () -> Machine.of("\ud83d"));
    Machine.of("ü".repeat(64)).withName("Büro 😀");
  }

  void cutsWhatTheSystemSays() {
    Check.equal(Texts.shown(" host\n"), Optional.of("host"));
    Check.equal(Texts.shown("\u0000\u202e\n"), Optional.empty());
    Check.equal(Texts.shown("é".repeat(200)), Optional.of("é".repeat(64)));
    Check.equal(Texts.shown("a" + "😀".repeat(50)), Optional.of("a" + "😀".repeat(31)));
  }

  void refusesTimesThatAreNone() throws Exception {
    SeatClientBuilder builder = SeatClient.builder();
    for (Duration bad : new Duration[] {Duration.ZERO, Duration.ofSeconds(-1), Duration.ofNanos(10), Duration.ofDays(25)}) {
      Check.fails(IllegalArgumentException.class, "tokenTimeout", () -> builder.tokenTimeout(bad));
      Check.fails(IllegalArgumentException.class, "connectTimeout", () -> builder.connectTimeout(bad));
      Check.fails(IllegalArgumentException.class, "longest", () -> builder.backoff(Duration.ofSeconds(1), bad));
    }
    // So long that it is no number of milliseconds.
    Check.fails(
        IllegalArgumentException.class, "tokenTimeout", () -> builder.tokenTimeout(Duration.ofSeconds(Long.MAX_VALUE)));
  }

  void saysWhatIsMissing() throws Exception {
    Check.fails(IllegalStateException.class, "call url()", () -> SeatClient.builder().connect());
    SeatClientBuilder half = SeatClient.builder().url("wss://seats.example.com").token(need -> "t");
    Check.fails(IllegalStateException.class, "call machine()", half::connect);
  }
}
