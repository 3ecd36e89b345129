package io.soleseat.client;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;

/** The rules of a seat in which a program may take part: so far, idle limits. Belongs to the loop. */
final class SeatRules {
  private final Options options;
  private final Status status;
  private final IdleReport idle;

  SeatRules(Loop loop, Options options, Status status, Dialler dialler) {
    this.options = options;
    this.status = status;
    idle = new IdleReport(loop, dialler::send);
  }

  /** What the program adds to each `hello`. */
  Map<String, Object> inHello() {
    Map<String, Object> fields = new LinkedHashMap<>();
    options.idle().ifPresent(asked -> fields.put("idleMs", wholeMs(asked.get()))); // [idle-hello]
    return fields;
  }

  void welcomed(ServerMessage.Welcome message) {
    idle.begin(options.idle().isPresent() ? message.reportEveryMs() : OptionalLong.empty());
  }

  /** `lateMs`: how long the message was under way. */
  void heard(ServerMessage message, double lateMs) {
    if (message instanceof ServerMessage.IdleWarning warning) {
      idle.warned();
      long leftNanos = (long) (Math.max(0, warning.inMs() - lateMs) * 1e6);
      status.emit(new SeatEvent.IdleWarning(Duration.ofNanos(leftNanos), System.nanoTime() + leftNanos));
    }
  }

  void activity(Duration ago) {
    idle.activity(ago);
  }

  /** The connection is over, or the seat is gone. */
  void stop() {
    idle.stop();
  }

  private static long wholeMs(Duration time) {
    return Math.max(0, time.toMillis());
  }
}
