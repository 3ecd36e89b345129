package io.soleseat.client;

import java.util.concurrent.Executor;

/** What a client is and has, and the telling of it. The loop writes, any thread reads. */
final class Status {
  private final Emitter emitter;
  private volatile SeatState state = SeatState.CONNECTING;
  private volatile ServerMessage.Resume session = null;

  Status(Executor callbacks) {
    emitter = new Emitter(callbacks);
  }

  Emitter emitter() {
    return emitter;
  }

  SeatState state() {
    return state;
  }

  boolean is(SeatState one) {
    return state == one;
  }

  /** Whether the seat is here, confirmed or not. */
  boolean hasSeat() {
    return is(SeatState.ACTIVE) || is(SeatState.JEOPARDY);
  }

  /** Whether no attempt is made by itself. A connection may still be there, on its way to its close. */
  boolean hasEnded() {
    return is(SeatState.CLOSED) || is(SeatState.EVICTED) || is(SeatState.DENIED);
  }

  void become(SeatState next) {
    SeatState previous = state;
    if (previous == next) return;
    state = next;
    emit(new SeatEvent.StateChanged(next, previous));
  }

  /** The session, kept over a lost connection; null before the first welcome and after the end. */
  ServerMessage.Resume session() {
    return session;
  }

  void keep(ServerMessage.Resume latest) {
    session = latest;
  }

  void forget() {
    session = null;
  }

  void emit(SeatEvent event) {
    emitter.emit(event);
  }
}
