package io.soleseat.client;

import java.util.HashSet;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

final class LossTest {
  private final Seen seen = new Seen();

  private Loss.Ending closedWith(int code, String reason) {
    return new Loss(code, reason, LossCause.of(LossCause.Kind.CLOSE, ""), seen).ending();
  }

  private static Loss answeredWith(int status) {
    LossCause cause = new LossCause(LossCause.Kind.STATUS, "", OptionalInt.of(status), Optional.empty());
    return new Loss(CloseCodes.NO_CLOSE_FRAME, "", cause, new Seen());
  }

  void isFinalByArithmetic() {
    for (int code = 1_000; code < 5_100; code++) {
      boolean isFinal = code >= 4_500 && code <= 4_999;
      Check.equal(closedWith(code, ""), isFinal ? Loss.Ending.DENIED : Loss.Ending.LOST);
    }
  }

  void reads1000ByItsReason() {
    Check.equal(closedWith(1_000, "released"), Loss.Ending.CLOSED);
    Check.equal(closedWith(1_000, "left"), Loss.Ending.CLOSED);
    Check.equal(closedWith(1_000, "bye"), Loss.Ending.LOST);
    Check.equal(closedWith(1_001, "released"), Loss.Ending.LOST);
  }

  void takesAnEvictionAsFinalWithoutItsClose() {
    seen.evictedFor = "taken_over";
    Check.equal(closedWith(1_006, ""), Loss.Ending.EVICTED);
    seen.evictedFor = "a_reason_of_later";
    Check.equal(closedWith(1_006, ""), Loss.Ending.EVICTED);
    seen.evictedFor = "lease_lost";
    Check.equal(closedWith(4_010, "lease_lost"), Loss.Ending.LOST);
    Check.equal(closedWith(4_509, "taken_over"), Loss.Ending.EVICTED);
  }

  void knowsTheStatusesThatAreFinal() {
    Set<Integer> denied = new HashSet<>();
    for (int status = 300; status < 600; status++)
      if (answeredWith(status).ending() == Loss.Ending.DENIED) denied.add(status);
    Check.equal(denied, Set.of(400, 403, 404, 405, 426, 431));
  }

  void asksForAnotherToken() {
    Check.equal(answeredWith(401).tokenNeed(), TokenNeed.TOKEN_EXPIRED);
    Check.equal(answeredWith(503).tokenNeed(), null);
    LossCause none = LossCause.of(LossCause.Kind.CLOSE, "");
    Check.equal(new Loss(4_001, "", none, seen).tokenNeed(), TokenNeed.TOKEN_EXPIRED);
    Check.equal(new Loss(4_002, "", none, seen).tokenNeed(), TokenNeed.TOKEN_NOT_YET_ACCEPTED);
    Check.equal(new Loss(4_010, "", none, seen).tokenNeed(), null);
  }
}
