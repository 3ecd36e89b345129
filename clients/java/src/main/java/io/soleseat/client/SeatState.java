package io.soleseat.client;

/** What a {@link SeatClient} is doing. */
public enum SeatState {
  /** An attempt that a person caused is under way: the first one, or one after {@code takeOver} or {@code retryNow}. */
  CONNECTING,
  /** The seat is here. */
  ACTIVE,
  /** The seat is here, and the node cannot confirm it at present. The lease runs on to its end. */
  JEOPARDY,
  /** The connection is lost. Attempts go on by themselves, and the lease may still run. */
  RECONNECTING,
  /** The session was ended from outside. No attempt is made until a person acts. */
  EVICTED,
  /** The seat is elsewhere. The connection waits for {@link SeatClient#takeOver()}. */
  CONFLICT,
  /** The broker refused for good: no attempt is made until a person acts. */
  DENIED,
  /** The program released the seat or left. */
  CLOSED
}
