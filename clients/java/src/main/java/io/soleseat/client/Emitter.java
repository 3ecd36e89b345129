package io.soleseat.client;

import java.lang.System.Logger.Level;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;

/** Tells listeners what happens, each apart from the others: one that throws stops nothing. */
final class Emitter {
  private final List<SeatListener> listeners = new CopyOnWriteArrayList<>();
  private final Executor callbacks;

  Emitter(Executor callbacks) {
    this.callbacks = new SerialExecutor(callbacks);
  }

  void add(SeatListener listener) {
    listeners.add(listener);
  }

  void remove(SeatListener listener) {
    listeners.remove(listener);
  }

  void emit(SeatEvent event) {
    callbacks.execute(
        () -> {
          for (SeatListener listener : listeners) tell(listener, event);
        });
  }

  private static void tell(SeatListener listener, SeatEvent event) {
    try {
      listener.onEvent(event);
    } catch (RuntimeException | Error fault) {
      logged(event, fault);
    }
    try {
      call(listener, event);
    } catch (RuntimeException | Error fault) {
      logged(event, fault);
    }
  }

  private static void logged(SeatEvent event, Throwable fault) {
    Loop.LOG.log(Level.WARNING, "soleseat: a listener threw at " + event.getClass().getSimpleName(), fault);
  }

  private static void call(SeatListener listener, SeatEvent event) {
    if (event instanceof SeatEvent.StateChanged one) listener.onStateChanged(one);
    else if (event instanceof SeatEvent.Welcome one) listener.onWelcome(one);
    else if (event instanceof SeatEvent.LeaseRenewed one) listener.onLeaseRenewed(one);
    else if (event instanceof SeatEvent.Evicted one) listener.onEvicted(one);
    else if (event instanceof SeatEvent.Conflict one) listener.onConflict(one);
    else if (event instanceof SeatEvent.AskRefused one) listener.onAskRefused(one);
    else if (event instanceof SeatEvent.TakeoverRequested one) listener.onTakeoverRequested(one);
    else if (event instanceof SeatEvent.TakeoverWithdrawn one) listener.onTakeoverWithdrawn(one);
    else if (event instanceof SeatEvent.SeatFree one) listener.onSeatFree(one);
    else if (event instanceof SeatEvent.Denied one) listener.onDenied(one);
    else if (event instanceof SeatEvent.Jeopardy one) listener.onJeopardy(one);
    else if (event instanceof SeatEvent.Recovered one) listener.onRecovered(one);
    else if (event instanceof SeatEvent.LeaseExpired one) listener.onLeaseExpired(one);
    else if (event instanceof SeatEvent.LeaveEnded one) listener.onLeaveEnded(one);
    else if (event instanceof SeatEvent.IdleWarning one) listener.onIdleWarning(one);
    else if (event instanceof SeatEvent.Failed one) listener.onError(one);
    else if (event instanceof SeatEvent.Reconnecting one) listener.onReconnecting(one);
    else if (event instanceof SeatEvent.Closed one) listener.onClosed(one);
  }
}
