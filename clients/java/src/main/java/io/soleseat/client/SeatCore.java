package io.soleseat.client;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;

/** One program's hold on its user's seat: what each message and loss means for it. Belongs to the loop. */
class SeatCore implements Dialler.Events, LeaseWatch.Events {
  private static final String UNTRUSTED = "untrusted_broker";

  final LeaseWatch watch;
  final Loop loop;
  final Status status;
  final Dialler dialler;
  final SeatRules rules;
  /** Null while no release is under way. */
  PendingRelease releasing = null;
  /** The program itself ended: only a takeover begins anew. */
  boolean endedHere = false;
  /** The computer slept: the next loss is followed by an attempt at once. */
  private boolean slept = false;

  SeatCore(Loop loop, Options options, Status status) {
    this.loop = loop;
    this.status = status;
    watch = new LeaseWatch(loop, options.clock(), this);
    dialler = new Dialler(loop, options, this);
    rules = new SeatRules(loop, options, status, dialler);
  }

  @Override
  public Optional<ServerMessage.Resume> resume() {
    return Optional.ofNullable(status.session());
  }

  @Override
  public Map<String, Object> moreOfHello() {
    return rules.inHello();
  }

  @Override
  public void helloGoesOut() {
    watch.lease.connected();
  }

  @Override
  public void disconnected() {
    rules.stop();
    watch.lease.disconnected();
    watch.look();
  }

  @Override
  public void tokenUnavailable(String message) {
    status.emit(new SeatEvent.Failed("token_unavailable", message, Optional.empty()));
  }

  /** A person may try again: perhaps the network was another one. [untrusted-final] */
  @Override
  public void untrusted(String message) {
    status.emit(new SeatEvent.Failed(UNTRUSTED, message, Optional.empty()));
    if (releasing != null) {
      finish(SeatState.CLOSED, CloseCodes.LEFT, UNTRUSTED);
      return;
    }
    end(SeatState.DENIED, CloseCodes.LEFT);
    status.emit(new SeatEvent.Denied(CloseCodes.LEFT, UNTRUSTED, message, OptionalInt.empty()));
    status.emit(new SeatEvent.Closed(CloseCodes.LEFT, UNTRUSTED));
  }

  @Override
  public void heard(ServerMessage message, Seen seen) {
    if (message instanceof ServerMessage.Welcome welcome) welcomed(welcome);
    else if (message instanceof ServerMessage.Lease lease) renewed(lease, seen);
    else if (message instanceof ServerMessage.Conflict conflict) refusedFor(conflict, seen);
    else if (message instanceof ServerMessage.Jeopardy jeopardy) endangered(jeopardy);
    else {
      double lateMs = watch.lease.heard(false, message.elapsedMs());
      if (message instanceof ServerMessage.Evicted evicted) evicted(evicted.event(), seen); // [evicted-first]
      else if (message instanceof ServerMessage.Recovered) recovered();
      else if (message instanceof ServerMessage.TokenExpiring) dialler.refreshToken(); // [refresh]
      else if (message instanceof ServerMessage.Draining draining)
        seen.drainWithinMs = OptionalLong.of(draining.reconnectWithinMs());
      else if (message instanceof ServerMessage.Failed failed) refused(failed, seen);
      else if (message instanceof ServerMessage.Left left) left(left, lateMs);
      else if (message instanceof ServerMessage.SeatFree) {
        if (status.is(SeatState.CONFLICT)) status.emit(new SeatEvent.SeatFree());
      } else if (message instanceof ServerMessage.AskRefused) {
        seen.isAsking = false;
        status.emit(new SeatEvent.AskRefused()); // [ask-refused]
      } else rules.heard(message, lateMs);
    }
    watch.look();
  }

  @Override
  public void lost(Loss loss) {
    if (releasing != null) {
      finish(SeatState.CLOSED, loss.code(), loss.reason());
      return;
    }
    switch (loss.ending()) {
      case EVICTED -> finish(SeatState.EVICTED, loss.code(), loss.reason());
      case CLOSED -> finish(SeatState.CLOSED, loss.code(), loss.reason());
      case DENIED -> denied(loss);
      case LOST -> redial(loss);
    }
  }

  @Override
  public void leaseExpired(long deadlineNanos) {
    ServerMessage.Resume expired = status.session();
    if (expired != null) status.emit(new SeatEvent.LeaseExpired(expired.epoch(), deadlineNanos));
  }

  @Override
  public void fellBehind() {
    dialler.giveUp(LossCause.of(LossCause.Kind.NETWORK, "What comes from the broker is too old."));
  }

  @Override
  public void slept() {
    boolean waits = status.is(SeatState.RECONNECTING) && dialler.dialling() == null;
    if (waits) dialler.dial(ConflictPolicy.DENY);
    else slept = dialler.connection() != null;
  }

  private void welcomed(ServerMessage.Welcome message) {
    watch.lease.granted(true, message.ttlMs(), message.elapsedMs(), releasing == null);
    dialler.answered();
    status.keep(message.session()); // [resumed-false]
    // The release was sent behind the hello: the broker gives the seat back right after this grant.
    if (releasing != null) return;
    slept = false;
    watch.held();
    status.become(SeatState.ACTIVE);
    rules.welcomed(message);
    status.emit(message.event(watch.left()));
    rules.endLeave();
  }

  private void renewed(ServerMessage.Lease message, Seen seen) {
    // A renewal of a grant before the latest one says nothing.
    ServerMessage.Resume session = status.session();
    boolean counts = releasing == null && session != null && message.epoch() >= session.epoch();
    watch.lease.granted(false, message.ttlMs(), message.elapsedMs(), counts);
    if (!counts) return;
    seen.forgetError(); // [error-without-close]
    // promise 8: a lease that was asserted again may come back with a higher epoch.
    status.keep(new ServerMessage.Resume(session.sessionId(), message.epoch()));
    // promise 15: one that lay unread is no news of the seat, and no sign that the connection is well.
    OptionalLong deadline = watch.deadlineNanos();
    if (deadline.isEmpty() || !watch.lease.holds()) return;
    if (!watch.lease.mustResume()) { // [backoff-reset]
      slept = false;
      dialler.steady();
    }
    watch.held();
    status.emit(new SeatEvent.LeaseRenewed(message.epoch(), watch.left(), deadline.getAsLong()));
  }

  /** The seat is elsewhere. The connection stays open: a person may choose to take over. */
  private void refusedFor(ServerMessage.Conflict message, Seen seen) {
    watch.lease.heard(true, message.elapsedMs());
    dialler.answered();
    status.forget(); // [conflict-lost] [conflict-wait]
    clearLease();
    status.become(SeatState.CONFLICT);
    seen.forgetError(); // [error-without-close]
    seen.claiming = null;
    seen.isAsking = message.event().asking();
    if (seen.wantsSeat) claim(Seen.Claim.SEAT);
    status.emit(message.event());
  }

  /** The next `hello` of this machine would end the leave. [left-final] */
  private void left(ServerMessage.Left message, double lateMs) {
    endedHere = true;
    rules.left(message, lateMs);
    end(SeatState.CLOSED, CloseCodes.LEFT);
    status.emit(new SeatEvent.Closed(CloseCodes.NORMAL, "left"));
    if (releasing != null) releasing.settle();
    releasing = null;
  }

  private void endangered(ServerMessage.Jeopardy message) {
    watch.lease.inJeopardy(message.graceMs(), message.elapsedMs());
    if (status.is(SeatState.ACTIVE)) status.become(SeatState.JEOPARDY);
    status.emit(new SeatEvent.Jeopardy(Duration.ofMillis(message.graceMs())));
  }

  private void recovered() {
    if (status.is(SeatState.JEOPARDY)) status.become(SeatState.ACTIVE);
    status.emit(new SeatEvent.Recovered());
  }

  /** promise 4: told at once, not only when the close has come. */
  private void evicted(SeatEvent.Evicted event, Seen seen) {
    seen.evictedFor = event.reason();
    if (CloseCodes.endsForGood(event.reason())) status.forget();
    clearLease(); // [evicted-at-once]
    status.become(SeatState.EVICTED);
    status.emit(event);
  }

  private void refused(ServerMessage.Failed message, Seen seen) {
    seen.errorMessage = message.message().isEmpty() ? null : message.message();
    // A takeover that was refused may be tried again.
    if (seen.claiming != null) dialler.answered();
    seen.claiming = null;
    seen.wantsSeat = false;
    OptionalLong retryAfterMs = message.retryAfterMs();
    if (retryAfterMs.isPresent()) {
      // Nobody closes for a refresh that came too early: the session goes on.
      boolean isRefresh = status.hasSeat() && message.code().equals("token_not_yet_accepted");
      if (isRefresh) dialler.refreshAgain(retryAfterMs.getAsLong()); // [refresh-not-yet]
      else seen.retryAfterMs = retryAfterMs.getAsLong();
    }
    rules.refused(message.code(), message.message());
    Optional<Duration> retryAfter = retryAfterMs.stream().mapToObj(Duration::ofMillis).findFirst();
    status.emit(new SeatEvent.Failed(message.code(), message.message(), retryAfter));
  }

  /**
   * Asks for the seat on the connection that waits with a conflict. False where there is none. One question at a time: the
   * answer is dated from it. A click that comes meanwhile follows the answer.
   */
  final boolean claim(Seen.Claim what) {
    Connection connection = dialler.connection();
    if (releasing != null || !status.is(SeatState.CONFLICT) || connection == null) return false;
    Seen seen = connection.seen;
    if (seen.claiming != null) { // [one-takeover]
      if (seen.claiming != what) seen.wantsSeat |= what == Seen.Claim.SEAT;
      return true;
    }
    // The grant after a yes may be under way already. [ask-undated]
    if (!seen.isAsking) watch.lease.asked();
    Map<String, Object> takeover = new LinkedHashMap<>(Map.of("type", "takeover"));
    if (what == Seen.Claim.FREE_SEAT) takeover.put("ifFree", true);
    if (!dialler.send(takeover)) return false;
    connection.expectAnswer();
    seen.claiming = what;
    seen.wantsSeat = false;
    return true;
  }

  private void redial(Loss loss) {
    long waitMs = dialler.waitAfterMs(loss);
    long inMs = slept ? 0 : waitMs;
    slept = false;
    dialler.redial(inMs);
    status.become(SeatState.RECONNECTING);
    status.emit(new SeatEvent.Reconnecting(Duration.ofMillis(inMs), loss.code(), loss.cause()));
  }

  private void denied(Loss loss) {
    end(SeatState.DENIED, loss.code());
    status.emit(new SeatEvent.Denied(loss.code(), loss.reason(), loss.sentence(), loss.cause().status()));
    status.emit(new SeatEvent.Closed(loss.code(), loss.reason()));
  }

  final CompletableFuture<Void> finish(SeatState ending, int code, String reason) {
    CompletableFuture<Void> written = end(ending, code);
    status.emit(new SeatEvent.Closed(code, reason));
    PendingRelease pending = releasing;
    releasing = null;
    if (pending != null) pending.settle();
    return written;
  }

  private CompletableFuture<Void> end(SeatState ending, int code) {
    int told = code == CloseCodes.NORMAL ? CloseCodes.NORMAL : CloseCodes.LEFT; // [leave-not-1000]
    CompletableFuture<Void> written = dialler.stop(told, "client ended");
    status.forget();
    clearLease();
    watch.stop();
    status.become(ending);
    return written;
  }

  /** The lease is gone, and what is told is something else than its end. */
  final void clearLease() {
    rules.stop();
    watch.lease.clear();
    watch.look();
  }
}
