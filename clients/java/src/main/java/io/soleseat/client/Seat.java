package io.soleseat.client;

import java.util.concurrent.CompletableFuture;

/** What a program and its person may ask of a seat. Belongs to the loop. */
final class Seat extends SeatCore {
  Seat(Loop loop, Options options, Status status) {
    super(loop, options, status);
  }

  void begin(ConflictPolicy onConflict) {
    watch.start();
    dialler.dial(onConflict);
  }

  /**
   * A person chose "use here". A seat that seems to be here is claimed anew too, and resumed if it is: an eviction may be on
   * its way.
   */
  void takeOver() {
    if (releasing != null || dialler.dialling() == ConflictPolicy.TAKEOVER) return;
    if (!claim(Seen.Claim.SEAT)) personDials(ConflictPolicy.TAKEOVER); // [takeover-by-person]
  }

  /** A person chose "ask for it". */
  void ask() {
    ConflictPolicy dialling = dialler.dialling();
    Connection connection = dialler.connection();
    boolean isBusy = (dialling != null && dialling != ConflictPolicy.DENY) || status.hasSeat();
    boolean isAsking = status.is(SeatState.CONFLICT) && connection != null && connection.seen.isAsking;
    if (releasing == null && !isBusy && !isAsking) personDials(ConflictPolicy.ASK); // [ask-by-person] [ask-waits]
  }

  /** For a program that acts by itself. Displaces nobody. */
  void takeIfFree() {
    claim(Seen.Claim.FREE_SEAT); // [take-if-free]
  }

  /** A person chose "try again". Displaces nobody. */
  void retryNow() {
    boolean isUnderWay = dialler.dialling() != null;
    if (releasing != null || endedHere || isUnderWay || status.hasSeat()) return;
    personDials(ConflictPolicy.DENY); // [person-may-retry]
  }

  /** Gives the seat back and ends. The future is done when the broker confirms it, or after two seconds. */
  void release(CompletableFuture<Void> done) {
    if (releasing != null) {
      releasing.alsoTell(done);
      return;
    }
    endedHere = true;
    if (isOver()) {
      done.complete(null);
      return;
    }
    clearLease();
    boolean mayHaveSeat = !status.is(SeatState.CONFLICT) && !status.is(SeatState.EVICTED);
    if (mayHaveSeat && dialler.send("release")) { // [release]
      releasing =
          new PendingRelease(
              loop, done, () -> finish(SeatState.CLOSED, CloseCodes.NO_CLOSE_FRAME, "no answer to release"));
      return;
    }
    // Nothing to give back, or nobody to give it to: then the seat ends with its TTL.
    finish(SeatState.CLOSED, CloseCodes.NORMAL, "released").thenRun(() -> done.complete(null));
  }

  /** Leaves without giving the seat back. The future is done when the close is written, or after two seconds. */
  void disconnect(CompletableFuture<Void> done) {
    endedHere = true;
    if (isOver()) done.complete(null);
    else finish(SeatState.CLOSED, CloseCodes.LEFT, "disconnected").thenRun(() -> done.complete(null));
  }

  private void personDials(ConflictPolicy onConflict) {
    endedHere = false;
    watch.start();
    dialler.dial(onConflict);
    status.become(SeatState.CONNECTING);
  }

  private boolean isOver() {
    return status.hasEnded() && dialler.connection() == null;
  }
}
