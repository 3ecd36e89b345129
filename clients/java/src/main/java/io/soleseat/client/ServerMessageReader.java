package io.soleseat.client;

import java.time.Duration;
import java.util.Optional;

/** Reads one message of the broker. */
final class ServerMessageReader {
  private ServerMessageReader() {}

  /**
   * Empty for what this version does not know or cannot use: a newer broker may say more, and that must not end the session.
   * promise 15: a message whose age is there and cannot be read gives nothing.
   */
  static Optional<ServerMessage> read(String text) {
    try {
      Fields fields = Fields.of(JsonReader.read(text));
      return Optional.ofNullable(message(fields.text("type"), fields));
    } catch (JsonException unreadable) {
      return Optional.empty(); // [ignore-unreadable]
    }
  }

  private static ServerMessage message(String type, Fields fields) throws JsonException {
    return switch (type) {
      case "welcome" -> welcome(fields);
      case "lease" ->
          new ServerMessage.Lease(fields.count("epoch"), fields.count("ttlMs"), fields.optionalCount("elapsedMs"));
      case "evicted" -> new ServerMessage.Evicted(evicted(fields));
      case "conflict" -> conflict(fields);
      case "jeopardy" -> new ServerMessage.Jeopardy(fields.count("graceMs"), fields.optionalCount("elapsedMs"));
      case "takeover_requested" ->
          new ServerMessage.TakeoverRequested(
              fields.inner("by").inner("machine").optionalText("name"),
              fields.count("answerWithinMs"),
              fields.optionalCount("elapsedMs"));
      case "takeover_withdrawn" -> new ServerMessage.TakeoverWithdrawn();
      case "ask_refused" -> new ServerMessage.AskRefused();
      case "left" ->
          new ServerMessage.Left(fields.text("ticket"), fields.count("forMs"), fields.optionalCount("elapsedMs"));
      case "seat_free" -> new ServerMessage.SeatFree();
      case "idle_warning" ->
          new ServerMessage.IdleWarning(fields.count("inMs"), fields.optionalCount("elapsedMs"));
      case "recovered" -> new ServerMessage.Recovered();
      case "token_expiring" -> new ServerMessage.TokenExpiring(fields.optionalCount("elapsedMs"));
      case "draining" ->
          new ServerMessage.Draining(fields.count("reconnectWithinMs"), fields.optionalCount("elapsedMs"));
      case "error" ->
          new ServerMessage.Failed(
              fields.text("code"),
              fields.optionalText("message").orElse(""),
              fields.optionalCount("retryAfterMs"),
              fields.optionalCount("elapsedMs"));
      default -> null; // [ignore-unknown]
    };
  }

  private static ServerMessage welcome(Fields fields) throws JsonException {
    return new ServerMessage.Welcome(
        new ServerMessage.Resume(fields.text("sessionId"), fields.count("epoch")),
        fields.isTrue("resumed"),
        fields.count("ttlMs"),
        fields.count("renewEveryMs"),
        license(fields.inner("license")),
        fields.isObject("displaced"),
        fields.inner("displaced").inner("machine").optionalText("name"),
        fields.inner("idle").lenientCount("reportEveryMs"),
        fields.optionalText("ticket"),
        fields.isTrue("shared"),
        fields.optionalCount("elapsedMs"));
  }

  private static Optional<SeatEvent.License> license(Fields fields) {
    return fields.optionalText("id").map(id -> new SeatEvent.License(id, fields.optionalTime("expiresAt")));
  }

  private static SeatEvent.Evicted evicted(Fields fields) throws JsonException {
    String reason = fields.text("reason");
    return new SeatEvent.Evicted(
        reason,
        CloseCodes.sentence(reason),
        fields.inner("by").inner("machine").optionalText("name"),
        fields.optionalTime("at"),
        fields.optionalCount("epoch").orElse(0));
  }

  private static ServerMessage conflict(Fields fields) throws JsonException {
    if (!fields.isObject("holder")) throw new JsonException("holder is missing");
    Fields holder = fields.inner("holder");
    return new ServerMessage.Conflict(
        new SeatEvent.Conflict(
            holder.inner("machine").optionalText("name"),
            holder.optionalTime("since"),
            holder.isTrue("sameMachine"),
            holder.optionalTime("onLeaveUntil"),
            fields.isTrue("asking"),
            fields.lenientCount("waitMs").stream().mapToObj(Duration::ofMillis).findFirst()),
        fields.optionalCount("elapsedMs"));
  }
}
