package io.soleseat.client;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Holds the user's seat for this program: connects, keeps the seat, reconnects, and says what happens.
 *
 * <pre>{@code
 * SeatClient seat = SeatClient.builder()
 *     .url("wss://seats.example.com")
 *     .token(need -> myServer.fetchSeatToken())
 *     .machine(MachineId.of("com.example.drawing"))
 *     .listener(myListener)
 *     .connect();
 * }</pre>
 *
 * <p>Every method may be called on every thread, also in a listener, and none but {@link #close()} blocks. All threads of the
 * library are daemons: it keeps no program alive and ends none. A program that ends without {@link #close()} keeps its seat
 * for the TTL of the lease (30 s unless the broker is set otherwise).
 */
public final class SeatClient implements AutoCloseable {
  private static final Duration RELEASE_TIMEOUT = Duration.ofSeconds(2);

  private final Loop loop = new Loop();
  private final Status status;
  private final Seat seat;
  /** Releases and disconnects that the loop has not seen yet: the seat is given up from the call on. */
  private final AtomicInteger pendingEnds = new AtomicInteger();

  private volatile boolean isClosed = false;

  SeatClient(Options options, Iterable<SeatListener> listeners) {
    status = new Status(options.callbacks());
    listeners.forEach(status.emitter()::add);
    seat = new Seat(loop, options, status);
    loop.execute(() -> seat.begin(options.onConflict()));
  }

  /**
   * Begins to describe a client.
   *
   * @return a builder, which needs at least {@code url}, {@code token} and {@code machine}
   */
  public static SeatClientBuilder builder() {
    return new SeatClientBuilder();
  }

  /**
   * What the client is doing. Events tell the same, and may come a little later.
   *
   * @return the state
   */
  public SeatState state() {
    return status.state();
  }

  /**
   * Whether the seat may be counted on at this moment, connected or not. False from the call of {@link #release()} or
   * {@link #disconnect()} on. Takes some microseconds. Between asking and acting a process can be stopped: what must be exact
   * needs the {@link #epoch()} too.
   *
   * @return whether the lease runs
   */
  public boolean holdsLease() {
    return pendingEnds.get() == 0 && seat.watch.lease.holds();
  }

  /**
   * How long the seat may still be counted on, if no renewal comes.
   *
   * @return the time left; zero where there is no lease
   */
  public Duration leaseLeft() {
    return pendingEnds.get() == 0 ? seat.watch.left() : Duration.ZERO;
  }

  /**
   * When the lease ends.
   *
   * @return the end on the scale of {@link System#nanoTime()} in nanoseconds, which is in the past for a lease that has ended;
   *     empty where there is none
   */
  public OptionalLong leaseDeadlineNanos() {
    return pendingEnds.get() == 0 ? seat.watch.deadlineNanos() : OptionalLong.empty();
  }

  /**
   * The fencing token to show to other services: of two sessions of a user, the one with the higher epoch is the true owner.
   *
   * @return the latest epoch, kept over a lost connection; empty before the first welcome and after the end
   */
  public OptionalLong epoch() {
    ServerMessage.Resume session = status.session();
    return session == null ? OptionalLong.empty() : OptionalLong.of(session.epoch());
  }

  /**
   * The session.
   *
   * @return its id, kept over a lost connection; empty before the first welcome and after the end
   */
  public Optional<String> sessionId() {
    return Optional.ofNullable(status.session()).map(ServerMessage.Resume::sessionId);
  }

  /**
   * Adds a listener. It hears what happens from now on; one that shall miss nothing is given to the builder.
   *
   * @param listener the listener
   */
  public void addListener(SeatListener listener) {
    status.emitter().add(Objects.requireNonNull(listener, "listener"));
  }

  /**
   * Removes a listener. An event that is on its way may still reach it.
   *
   * @param listener the listener; nothing happens where it is none of this client
   */
  public void removeListener(SeatListener listener) {
    status.emitter().remove(listener);
  }

  /**
   * A person chose "use here": takes the seat from whoever has it. Besides the first connect this is the only thing that
   * displaces another machine. Also begins anew after an eviction, a refusal or a release. Without effect while an attempt
   * to take over is under way, while a release is, and after {@link #close()}.
   */
  public void takeOver() {
    loop.execute(
        () -> {
          if (!isClosed) seat.takeOver();
        });
  }

  /**
   * A person chose "ask for it": the holder is asked, and may save and yield. A conflict with {@code asking} tells that it is; then a
   * grant or {@link SeatListener#onAskRefused} what came of it. {@link #takeOver()} asks nobody. Without effect while the holder is
   * being asked, while the seat is here, while a release is under way, and after {@link #close()}.
   */
  public void ask() {
    loop.execute(
        () -> {
          if (!isClosed) seat.ask();
        });
  }

  /**
   * What the person says to {@link SeatListener#onTakeoverRequested}. The seat stays here until it is evicted.
   *
   * @param yields whether the other machine may have the seat
   */
  public void answer(boolean yields) {
    loop.execute(() -> seat.rules.answer(yields, Optional.empty()));
  }

  /**
   * The person yields, and has to save first.
   *
   * @param need how long that takes
   */
  public void yieldAfter(Duration need) {
    Objects.requireNonNull(need, "need");
    loop.execute(() -> seat.rules.answer(true, Optional.of(need)));
  }

  /**
   * While a conflict waits: takes the seat if nobody has it, and never displaces a holder. For a program that acts without a click, as
   * at {@link SeatListener#onSeatFree}. Where somebody was faster, the conflict is told again.
   */
  public void takeIfFree() {
    loop.execute(
        () -> {
          if (!isClosed) seat.takeIfFree();
        });
  }

  /**
   * A person chose "try again": makes an attempt at once, which displaces nobody. Without effect while the seat is here or an
   * attempt is under way, and after {@link #release()}, {@link #disconnect()} and {@link #close()}.
   */
  public void retryNow() {
    loop.execute(
        () -> {
          if (!isClosed) seat.retryNow();
        });
  }

  /** The person is at work, as {@link #activity(Duration)} without a time. */
  public void activity() {
    activity(Duration.ZERO);
  }

  /**
   * The person was at work that long ago. For every key and click: the broker is told no more often than it wants to hear it.
   * Without effect without {@link SeatClientBuilder#idle} and where the session has no idle limit.
   *
   * @param ago how long ago it was
   */
  public void activity(Duration ago) {
    Objects.requireNonNull(ago, "ago");
    loop.execute(() -> seat.rules.activity(ago));
  }

  /**
   * Takes the seat along offline, for that long at most.
   *
   * @param time for how long
   * @return done when the broker has signed for it: then this client is closed, and the program goes by the record
   *     ({@link LeaveChecker}). Fails with a {@link LeaveException} where the seat may not be taken along, or where the connection is
   *     lost before: then the session goes on. What depends on it runs on no thread of the client
   */
  public CompletableFuture<LeaveRecord> leave(Duration time) {
    Objects.requireNonNull(time, "time");
    CompletableFuture<LeaveRecord> done = new CompletableFuture<>();
    CompletableFuture<LeaveRecord> told = new CompletableFuture<>();
    // What the program does next must not run on the loop.
    done.whenComplete(
        (record, fault) -> {
          if (fault == null) told.completeAsync(() -> record);
          else CompletableFuture.runAsync(() -> told.completeExceptionally(fault));
        });
    loop.execute(() -> seat.rules.leave(time, done));
    return told;
  }

  /**
   * Gives the seat back, so that another machine can have it at once. Calling it again does nothing more.
   *
   * @return done when the broker has confirmed it, or after 2 s without an answer: then the seat ends with its TTL. It never
   *     fails. What depends on it runs on no thread of the client
   */
  public CompletableFuture<Void> release() {
    return end(seat::release);
  }

  /**
   * Leaves without giving the seat back: it stays with this machine until its TTL ends. For a program that restarts.
   *
   * @return done when the broker has been told, or after 2 s. It never fails
   */
  public CompletableFuture<Void> disconnect() {
    return end(seat::disconnect);
  }

  /**
   * Releases the seat as {@link #release()} does, and waits for it, at most 2 s. Where the calling thread is interrupted it
   * stays interrupted, and the release goes on without it. After this the client is of no more use.
   */
  @Override
  public void close() {
    isClosed = true;
    CompletableFuture<Void> released = release();
    // A listener on the executor `Runnable::run` runs on the loop itself, which cannot wait for itself.
    if (loop.isHere()) return;
    try {
      released.get(RELEASE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException late) {
      // The seat ends with its TTL.
    }
  }

  private interface Ending {
    void begin(CompletableFuture<Void> done);
  }

  private CompletableFuture<Void> end(Ending ending) {
    pendingEnds.incrementAndGet();
    CompletableFuture<Void> done = new CompletableFuture<>();
    CompletableFuture<Void> told = new CompletableFuture<>();
    // What the program does next must not run on the loop.
    done.thenRun(() -> told.completeAsync(() -> null));
    loop.execute(
        () -> {
          try {
            ending.begin(done);
          } finally {
            pendingEnds.decrementAndGet();
          }
        });
    return told;
  }
}
