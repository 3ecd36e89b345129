package io.soleseat.client;

import java.time.Duration;
import java.util.Set;

/** How a connection ended, or why an attempt came to nothing. */
record Loss(int code, String reason, LossCause cause, Seen seen) {
  /** The reasons with which 1000 is the broker's answer to a release. Some libraries report a broken connection as 1000 too. */
  private static final Set<String> GIVEN_BACK = Set.of("released", "left");
  /** Statuses of a handshake after which the same request fares no better: PROTOCOL.md, "Reconnecting", rule 6. */
  private static final Set<Integer> FINAL_STATUSES = Set.of(400, 403, 404, 405, 426, 431);

  /** What the end means for the session. */
  enum Ending {
    EVICTED,
    DENIED,
    CLOSED,
    LOST
  }

  Ending ending() {
    boolean isFinal = CloseCodes.isFinal(code);
    if (seen.evictedFor != null && (isFinal || CloseCodes.endsForGood(seen.evictedFor))) return Ending.EVICTED;
    boolean isFinalStatus = cause.status().isPresent() && FINAL_STATUSES.contains(cause.status().getAsInt());
    if (isFinal || isFinalStatus) return Ending.DENIED; // [handshake-final] [handshake-others-retry]
    return code == CloseCodes.NORMAL && GIVEN_BACK.contains(reason) ? Ending.CLOSED : Ending.LOST; // [close-1000] [other-codes-retry]
  }

  /** The next attempt needs a token for this; null where the last one may do. */
  TokenNeed tokenNeed() {
    if (code == CloseCodes.TOKEN_EXPIRED || cause.status().orElse(0) == 401) return TokenNeed.TOKEN_EXPIRED; // [handshake-401]
    return code == CloseCodes.TOKEN_NOT_YET_ACCEPTED ? TokenNeed.TOKEN_NOT_YET_ACCEPTED : null; // [new-token]
  }

  /** The longer of what an `error` and what the handshake's answer asked for. */
  long retryAfterMs() {
    long byAnswerMs = cause.retryAfter().map(Duration::toMillis).orElse(0L);
    return Math.max(seen.retryAfterMs, byAnswerMs); // [handshake-retry-after]
  }

  /** A sentence for people: the broker's own, or the table's. */
  String sentence() {
    if (cause.status().isPresent()) return cause.message();
    return seen.errorMessage != null ? seen.errorMessage : CloseCodes.sentence(code, reason);
  }
}
