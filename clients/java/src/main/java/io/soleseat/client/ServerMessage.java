package io.soleseat.client;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/** What the broker says, as far as this version understands it: PROTOCOL.md, "Messages from the server". */
sealed interface ServerMessage {
  /** When the node wrote the message; empty where it does not say. */
  default OptionalLong elapsedMs() {
    return OptionalLong.empty();
  }

  record Welcome(Resume session, boolean resumed, long ttlMs, long renewEveryMs, Optional<SeatEvent.License> license,
      boolean displaced, Optional<String> displacedName, OptionalLong reportEveryMs,
      Optional<String> ticket, boolean shared, OptionalLong elapsedMs) implements ServerMessage {
    SeatEvent.Welcome event(Duration left) {
      return new SeatEvent.Welcome(
          session.sessionId(),
          session.epoch(),
          resumed,
          left,
          Duration.ofMillis(renewEveryMs),
          license,
          displaced,
          displacedName,
          shared);
    }
  }

  record Lease(long epoch, long ttlMs, OptionalLong elapsedMs) implements ServerMessage {}

  record Evicted(SeatEvent.Evicted event) implements ServerMessage {}

  record Conflict(SeatEvent.Conflict event, OptionalLong elapsedMs) implements ServerMessage {}

  record TakeoverRequested(Optional<String> byName, long answerWithinMs, OptionalLong elapsedMs)
      implements ServerMessage {}

  record TakeoverWithdrawn() implements ServerMessage {}

  record AskRefused() implements ServerMessage {}

  record Left(String ticket, long forMs, OptionalLong elapsedMs) implements ServerMessage {}

  record SeatFree() implements ServerMessage {}

  record IdleWarning(long inMs, OptionalLong elapsedMs) implements ServerMessage {}

  record Jeopardy(long graceMs, OptionalLong elapsedMs) implements ServerMessage {}

  record Recovered() implements ServerMessage {}

  record TokenExpiring(OptionalLong elapsedMs) implements ServerMessage {}

  record Draining(long reconnectWithinMs, OptionalLong elapsedMs) implements ServerMessage {}

  record Failed(String code, String message, OptionalLong retryAfterMs, OptionalLong elapsedMs)
      implements ServerMessage {}

  /** The session to ask for again. */
  record Resume(String sessionId, long epoch) {}
}
