package io.soleseat.client;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;

/** What happens to a seat. Each event has a method of its own in {@link SeatListener}. */
public sealed interface SeatEvent {

  /**
   * The state changed.
   *
   * @param state the state from now on
   * @param previous the state before
   */
  record StateChanged(SeatState state, SeatState previous) implements SeatEvent {}

  /**
   * The seat is granted, at first or again.
   *
   * @param sessionId names the session; it stays the same when a lost connection is resumed
   * @param epoch the fencing token: of two sessions of a user the one with the higher epoch is the true owner
   * @param resumed whether a session that was there before goes on
   * @param ttl how long the seat may be counted on, if no renewal comes
   * @param renewEvery how often a renewal comes
   * @param license the user's license; empty where the org needs none
   * @param displaced whether this grant took the seat from another machine
   * @param displacedName the name of that machine, where it gave one
   * @param shared whether other processes of this machine hold the session too
   */
  record Welcome(
      String sessionId,
      long epoch,
      boolean resumed,
      Duration ttl,
      Duration renewEvery,
      Optional<License> license,
      boolean displaced,
      Optional<String> displacedName,
      boolean shared)
      implements SeatEvent {}

  /**
   * A user's license.
   *
   * @param id names the license
   * @param expiresAt when it ends; empty where it has no end
   */
  record License(String id, Optional<Instant> expiresAt) {}

  /**
   * The lease was renewed.
   *
   * @param epoch the latest fencing token; it may have grown
   * @param ttl how long the seat may be counted on from now on, if no other renewal comes
   * @param deadlineNanos when that is over, on the scale of {@link System#nanoTime()}
   */
  record LeaseRenewed(long epoch, Duration ttl, long deadlineNanos) implements SeatEvent {}

  /**
   * The session was ended from outside.
   *
   * @param reason why, as in the table of close codes: {@code taken_over}, {@code evicted_by_admin}, …
   * @param message a sentence for people
   * @param byName the name of the machine that took the seat, where there is one that gave a name
   * @param at when it happened, by the clock of the broker's Redis: to be shown, not to be measured with
   * @param epoch the epoch that ended the session; 0 where the broker did not say
   */
  record Evicted(String reason, String message, Optional<String> byName, Optional<Instant> at, long epoch)
      implements SeatEvent {}

  /**
   * The seat is elsewhere, and this attempt displaced nobody. {@link SeatClient#takeOver()} takes it.
   *
   * @param holderName the name of the machine that has the seat, where it gave one
   * @param since since when, by the clock of the broker's Redis: to be shown, not to be measured with
   * @param sameMachine whether the seat is with another program on this very machine
   * @param onLeaveUntil until when the holder took the seat along offline, where it did: then it cannot be taken
   * @param asking whether the holder is being asked
   * @param answerWithin how long the holder has to answer
   */
  record Conflict(
      Optional<String> holderName,
      Optional<Instant> since,
      boolean sameMachine,
      Optional<Instant> onLeaveUntil,
      boolean asking,
      Optional<Duration> answerWithin)
      implements SeatEvent {}

  /** The holder was asked, and said no. The connection waits on. */
  record AskRefused() implements SeatEvent {}

  /**
   * Another machine asks for the seat: {@link SeatClient#answer} tells what the person wants. The seat stays here until
   * {@link Evicted}.
   *
   * @param byName the name of the machine that asks, where it gave one
   * @param answerWithin how long the broker waits; no answer in time means yes
   * @param deadlineNanos when that is over, on the scale of {@link System#nanoTime()}
   */
  record TakeoverRequested(Optional<String> byName, Duration answerWithin, long deadlineNanos) implements SeatEvent {}

  /** Nobody asks for the seat any more. */
  record TakeoverWithdrawn() implements SeatEvent {}

  /** While a conflict waits: the holder has left. Others may be told the same; {@link SeatClient#takeIfFree()} displaces nobody. */
  record SeatFree() implements SeatEvent {}

  /**
   * The broker refused for good.
   *
   * @param code the close code, 4500 to 4999; 1006 where the handshake was refused
   * @param reason the close reason as the broker sent it; empty where the handshake was refused
   * @param message a sentence for people
   * @param status the HTTP status of a refused handshake
   */
  record Denied(int code, String reason, String message, OptionalInt status) implements SeatEvent {}

  /**
   * The node cannot reach Redis. The lease runs on to its end.
   *
   * @param grace for how long the node keeps the session; shorter than it is, where the message was under way for long
   */
  record Jeopardy(Duration grace) implements SeatEvent {}

  /**
   * Nobody was at work for long: without {@link SeatClient#activity()} the session ends.
   *
   * @param in the time left
   * @param deadlineNanos when it is over, on the scale of {@link System#nanoTime()}
   */
  record IdleWarning(Duration in, long deadlineNanos) implements SeatEvent {}

  /** The seat is here again, or is another one: delete the record and the ticket of the leave. */
  record LeaveEnded() implements SeatEvent {}

  /** The lease is confirmed again. */
  record Recovered() implements SeatEvent {}

  /**
   * The lease ended without a renewal: stop counting on the seat. Told once each time that it happens.
   *
   * @param epoch the epoch of the lease that ended
   * @param deadlineNanos when it ended, on the scale of {@link System#nanoTime()}
   */
  record LeaseExpired(long epoch, long deadlineNanos) implements SeatEvent {}

  /**
   * The broker answered with an error, or no token is to be had. The library goes on by itself.
   *
   * @param code the broker's code, or {@code token_unavailable} where the token source failed
   * @param message a sentence
   * @param retryAfter how long the broker asks to wait; the library does
   */
  record Failed(String code, String message, Optional<Duration> retryAfter) implements SeatEvent {}

  /**
   * The connection is lost, or an attempt came to nothing. The next attempt is due.
   *
   * @param in the time until the next attempt
   * @param code the close code; 1006 where there was none
   * @param cause why
   */
  record Reconnecting(Duration in, int code, LossCause cause) implements SeatEvent {}

  /**
   * The connection ended, and the library makes no attempt by itself. The state is {@link SeatState#CLOSED},
   * {@link SeatState#EVICTED} or {@link SeatState#DENIED}.
   *
   * @param code the close code; 1000 after a release, 4000 after {@link SeatClient#disconnect()}, 1006 where there was none
   * @param reason the close reason; may be empty
   */
  record Closed(int code, String reason) implements SeatEvent {}
}
