package io.soleseat.client;

import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** The rules of a seat in which a program may take part: idle limits, who is asked, and leaves. Belongs to the loop. */
final class SeatRules {
  private static final String LOST = "connection_lost";
  private static final long MOST_MS = (1L << 53) - 1;

  private final Options options;
  private final Status status;
  private final Dialler dialler;
  private final IdleReport idle;
  /** Null while no leave is under way. */
  private CompletableFuture<LeaveRecord> leaving = null;
  /** The ticket of a leave that the latest `hello` showed; null where it showed none. */
  private String shownTicket = null;
  private String spentTicket = null;

  SeatRules(Loop loop, Options options, Status status, Dialler dialler) {
    this.options = options;
    this.status = status;
    this.dialler = dialler;
    idle = new IdleReport(loop, dialler::send);
  }

  /** What the program adds to each `hello`. */
  Map<String, Object> inHello() {
    Map<String, Object> fields = new LinkedHashMap<>();
    options.idle().flatMap(idle -> safely(() -> wholeMs(idle.get()))).ifPresent(ms -> fields.put("idleMs", ms)); // [idle-hello]
    if (options.asks()) fields.put("asks", true); // [asks-told]
    // [ticket-shown] [ticket-once]
    shownTicket = safely(options.ticket()).flatMap(kept -> kept).filter(kept -> !kept.equals(spentTicket)).orElse(null);
    if (shownTicket != null) fields.put("ticket", shownTicket);
    return fields;
  }

  /** After the grant was told. */
  void endLeave() {
    if (shownTicket == null) return;
    spentTicket = shownTicket;
    shownTicket = null;
    status.emit(new SeatEvent.LeaveEnded());
  }

  /** Asks to take the seat along. */
  void leave(Duration time, CompletableFuture<LeaveRecord> done) {
    if (leaving != null) leaving.whenComplete((record, fault) -> complete(done, record, fault));
    else if (status.hasSeat() && dialler.send(Map.of("type", "leave", "forMs", wholeMs(time)))) leaving = done;
    else done.completeExceptionally(new LeaveException(LOST, "There is no connection with a seat to take along."));
  }

  /** The seat is taken along. */
  void left(ServerMessage.Left message, double lateMs) {
    if (leaving == null) return;
    Duration granted = Duration.ofMillis(leftNanos(message.forMs(), lateMs) / 1_000_000);
    leaving.complete(LeaveRecord.now(message.ticket(), granted)); // [leave-left]
    leaving = null;
  }

  /** An error came. The session goes on. */
  void refused(String code, String message) {
    // These two are about something else.
    if (!code.equals("token_not_yet_accepted") && !code.equals("flapping")) refuseLeave(code, message);
  }

  private void refuseLeave(String code, String message) {
    if (leaving != null) leaving.completeExceptionally(new LeaveException(code, message));
    leaving = null;
  }

  private static void complete(CompletableFuture<LeaveRecord> done, LeaveRecord record, Throwable fault) {
    if (fault == null) done.complete(record);
    else done.completeExceptionally(fault);
  }

  void welcomed(ServerMessage.Welcome message) {
    idle.begin(options.idle().isPresent() ? message.reportEveryMs() : OptionalLong.empty());
  }

  /** `lateMs`: how long the message was under way. */
  void heard(ServerMessage message, double lateMs) {
    if (message instanceof ServerMessage.IdleWarning warning) {
      idle.warned();
      long leftNanos = leftNanos(warning.inMs(), lateMs);
      status.emit(new SeatEvent.IdleWarning(Duration.ofNanos(leftNanos), System.nanoTime() + leftNanos));
    } else if (message instanceof ServerMessage.TakeoverRequested request) {
      // The seat stays here until `evicted`, whatever is answered. [ask-keeps-seat]
      long leftNanos = leftNanos(request.answerWithinMs(), lateMs);
      long deadlineNanos = System.nanoTime() + leftNanos;
      if (status.hasSeat())
        status.emit(new SeatEvent.TakeoverRequested(request.byName(), Duration.ofNanos(leftNanos), deadlineNanos));
    } else if (message instanceof ServerMessage.TakeoverWithdrawn) {
      status.emit(new SeatEvent.TakeoverWithdrawn());
    }
  }

  void answer(boolean yields, Optional<Duration> need) {
    Map<String, Object> answer = new LinkedHashMap<>(Map.of("type", "answer", "yield", yields));
    need.ifPresent(time -> answer.put("needMs", wholeMs(time)));
    dialler.send(answer);
  }

  void activity(Duration ago) {
    idle.activity(ago);
  }

  /** The connection is over, or the seat is gone. */
  void stop() {
    refuseLeave(LOST, "The connection ended before the seat was taken along.");
    idle.stop();
  }

  /** What is left of a time that was told so long ago. */
  private static long leftNanos(long ms, double lateMs) {
    return (long) (Math.max(0, ms - lateMs) * 1e6);
  }

  /** An option of the program; empty where it is null or throws. A fault of the program must not keep it from its seat. */
  private static <T> Optional<T> safely(Supplier<T> option) {
    try {
      return Optional.ofNullable(option.get());
    } catch (RuntimeException | LinkageError fault) {
      Loop.LOG.log(Level.WARNING, "soleseat: an option threw", fault);
      return Optional.empty();
    }
  }

  private static long wholeMs(Duration time) {
    try {
      return Math.min(Math.max(0, time.toMillis()), MOST_MS);
    } catch (ArithmeticException beyondLong) {
      return time.isNegative() ? 0 : MOST_MS;
    }
  }
}
