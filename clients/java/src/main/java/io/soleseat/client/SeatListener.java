package io.soleseat.client;

/**
 * Hears what happens to a seat. Every method does nothing unless it is overridden.
 *
 * <p>Events come in order, one at a time, on the callback executor of the client ({@link SeatClientBuilder#callbackExecutor};
 * a daemon thread of the library unless one is given). A listener that throws is logged, and nothing else comes of it. A
 * listener may call every method of the client. A listener that blocks delays the events after it. It delays neither the seat
 * nor its renewals.
 */
public interface SeatListener {
  /**
   * Called with every event, before the method that belongs to it. For logs.
   *
   * @param event the event
   */
  default void onEvent(SeatEvent event) {}

  /**
   * The state changed.
   *
   * @param event what changed
   */
  default void onStateChanged(SeatEvent.StateChanged event) {}

  /**
   * The seat is granted, at first or again: the program may be used.
   *
   * @param event the grant
   */
  default void onWelcome(SeatEvent.Welcome event) {}

  /**
   * The lease was renewed.
   *
   * @param event the renewal
   */
  default void onLeaseRenewed(SeatEvent.LeaseRenewed event) {}

  /**
   * The session was ended from outside: save the work, lock the program, and show who has the seat.
   *
   * @param event who or what ended it
   */
  default void onEvicted(SeatEvent.Evicted event) {}

  /**
   * The seat is elsewhere: lock the program, show who has the seat, and offer {@link SeatClient#takeOver()}.
   *
   * @param event who has it
   */
  default void onConflict(SeatEvent.Conflict event) {}

  /**
   * The holder was asked for the seat, and said no: show it, and offer {@link SeatClient#takeOver()} where your rules allow it.
   *
   * @param event nothing more
   */
  default void onAskRefused(SeatEvent.AskRefused event) {}

  /**
   * Another machine asks for the seat: show it, and call {@link SeatClient#answer}. It comes where {@link SeatClientBuilder#asks} was
   * called.
   *
   * @param event who asks
   */
  default void onTakeoverRequested(SeatEvent.TakeoverRequested event) {}

  /**
   * Nobody asks for the seat any more: take the question away.
   *
   * @param event nothing more
   */
  default void onTakeoverWithdrawn(SeatEvent.TakeoverWithdrawn event) {}

  /**
   * While a conflict waits: the holder has left. Show it, or call {@link SeatClient#takeIfFree()}.
   *
   * @param event nothing more
   */
  default void onSeatFree(SeatEvent.SeatFree event) {}

  /**
   * The broker refused for good: lock the program and show the message.
   *
   * @param event why
   */
  default void onDenied(SeatEvent.Denied event) {}

  /**
   * The node cannot confirm the lease at present. Nothing has to be done before {@link #onLeaseExpired}.
   *
   * @param event for how long the node tries
   */
  default void onJeopardy(SeatEvent.Jeopardy event) {}

  /**
   * The lease is confirmed again after a jeopardy.
   *
   * @param event nothing more
   */
  default void onRecovered(SeatEvent.Recovered event) {}

  /**
   * The lease ended without a renewal: save the work and lock the program until {@link #onWelcome}.
   *
   * @param event the lease that ended
   */
  default void onLeaseExpired(SeatEvent.LeaseExpired event) {}

  /**
   * The seat that this machine took along is here again: delete the record and the ticket.
   *
   * @param event nothing more
   */
  default void onLeaveEnded(SeatEvent.LeaveEnded event) {}

  /**
   * Nobody was at work for long: show it, and call {@link SeatClient#activity()} when somebody is.
   *
   * @param event the time left
   */
  default void onIdleWarning(SeatEvent.IdleWarning event) {}

  /**
   * The broker answered with an error, or no token is to be had. The library goes on by itself.
   *
   * @param event the error
   */
  default void onError(SeatEvent.Failed event) {}

  /**
   * The connection is lost, and the next attempt is due. The lease may still run: ask {@link SeatClient#holdsLease()}.
   *
   * @param event when, and why
   */
  default void onReconnecting(SeatEvent.Reconnecting event) {}

  /**
   * The connection ended, and the library makes no attempt by itself.
   *
   * @param event how it ended
   */
  default void onClosed(SeatEvent.Closed event) {}
}
