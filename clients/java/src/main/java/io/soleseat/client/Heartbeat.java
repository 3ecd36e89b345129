package io.soleseat.client;

/**
 * Notices that the broker's beat stays away. On a half-open connection nothing else shows: this end sends nothing, so TCP has
 * nothing to miss, and no close can come. The beats are what comes with every renewal, and `jeopardy`, which says for how
 * long none will. While a `conflict` waits they are the pings. How old a beat is, is the lease clock's to say.
 */
final class Heartbeat {
  /** One beat may be lost and one late. */
  private static final double INTERVALS = 2.5;
  /** However often the node renews: by then it has waited for Redis in vain, and said so with `jeopardy`. */
  private static final double LEAST_MS = 5_000;
  /** The close follows an eviction at once, and the broker itself waits no longer than this for the answer. */
  private static final double CLOSE_MS = 2_000;
  /** Until a `welcome` has told the interval: longer than anybody would choose. */
  private static final double UNTOLD_INTERVAL_MS = 60_000;
  /** After a sleep or a stall timers are late and beats lie unread: time for the loop to read them. */
  private static final double READ_MS = 250;

  private final Loop loop;
  private final Runnable onSilent;
  private double renewEveryMs = UNTOLD_INTERVAL_MS;
  private boolean waitsInConflict = false;
  private Loop.Timer timer = Loop.Timer.NONE;

  Heartbeat(Loop loop, Runnable onSilent) {
    this.loop = loop;
    this.onSilent = onSilent;
  }

  void heard(ServerMessage message) {
    if (message instanceof ServerMessage.Welcome welcome) {
      renewEveryMs = welcome.renewEveryMs();
      waitsInConflict = false;
      expect(patienceMs());
    } else if (message instanceof ServerMessage.Lease) {
      expect(patienceMs());
    } else if (message instanceof ServerMessage.Jeopardy jeopardy) {
      expect(jeopardy.graceMs()); // [jeopardy-wait]
    } else if (message instanceof ServerMessage.Evicted) {
      expect(CLOSE_MS);
    } else if (message instanceof ServerMessage.Conflict) {
      // A broker that pings seldom, or an older one, has its time: the first ping begins the watch.
      timer.cancel();
      waitsInConflict = true;
    }
  }

  void pinged() {
    if (waitsInConflict) expect(patienceMs()); // [conflict-silence]
  }

  /** The connection is over. */
  void stop() {
    timer.cancel();
    waitsInConflict = false;
  }

  private double patienceMs() {
    return Math.max(LEAST_MS, INTERVALS * renewEveryMs); // [silence]
  }

  /** The next beat is due within this time. */
  private void expect(double withinMs) {
    timer.cancel();
    timer = loop.after(withinMs, () -> timer = loop.after(READ_MS, onSilent));
  }
}
