package io.soleseat.client;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** The rules of a seat in which a program may take part: idle limits, and who is asked. Belongs to the loop. */
final class SeatRules {
  private final Options options;
  private final Status status;
  private final Dialler dialler;
  private final IdleReport idle;

  SeatRules(Loop loop, Options options, Status status, Dialler dialler) {
    this.options = options;
    this.status = status;
    this.dialler = dialler;
    idle = new IdleReport(loop, dialler::send);
  }

  /** What the program adds to each `hello`. */
  Map<String, Object> inHello() {
    Map<String, Object> fields = new LinkedHashMap<>();
    options.idle().ifPresent(asked -> fields.put("idleMs", wholeMs(asked.get()))); // [idle-hello]
    if (options.asks()) fields.put("asks", true); // [asks-told]
    return fields;
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
    idle.stop();
  }

  /** What is left of a time that was told so long ago. */
  private static long leftNanos(long ms, double lateMs) {
    return (long) (Math.max(0, ms - lateMs) * 1e6);
  }

  private static long wholeMs(Duration time) {
    return Math.max(0, time.toMillis());
  }
}
