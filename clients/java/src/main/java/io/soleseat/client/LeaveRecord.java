package io.soleseat.client;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;

/**
 * What a program keeps of a seat that it took along. Write it to a file of its own after each look: {@link #toJson()}.
 *
 * @param ticket the signed ticket
 * @param granted how long the seat was granted for, from when the ticket came
 * @param receivedAt when the ticket came, by the machine's clock
 * @param seenAt the latest time that the machine's clock has shown
 */
public record LeaveRecord(String ticket, Duration granted, Instant receivedAt, Instant seenAt) {
  /**
   * Checks that nothing is {@code null}.
   *
   * @param ticket the signed ticket
   * @param granted how long the seat was granted for
   * @param receivedAt when the ticket came
   * @param seenAt the latest time that was seen
   */
  public LeaveRecord {
    Objects.requireNonNull(ticket, "ticket");
    Objects.requireNonNull(granted, "granted");
    Objects.requireNonNull(receivedAt, "receivedAt");
    Objects.requireNonNull(seenAt, "seenAt");
  }

  /** A seat that was taken along right now. */
  static LeaveRecord now(String ticket, Duration granted) {
    Instant now = Instant.ofEpochMilli(System.currentTimeMillis());
    return new LeaveRecord(ticket, granted, now, now);
  }

  /**
   * The record as JSON, the same in all libraries.
   *
   * @return the text for a file
   */
  public String toJson() {
    return JsonWriter.write(
        Map.of(
            "ticket", ticket,
            "forMs", granted.toMillis(),
            "receivedMs", receivedAt.toEpochMilli(),
            "seenMs", seenAt.toEpochMilli()));
  }

  /**
   * Reads what {@link #toJson()} wrote.
   *
   * @param json the text of the file
   * @return the record
   * @throws IllegalArgumentException if the text is no record
   */
  public static LeaveRecord parse(String json) {
    try {
      Fields fields = Fields.of(JsonReader.read(json));
      return new LeaveRecord(
          fields.text("ticket"),
          Duration.ofMillis(fields.count("forMs")),
          Instant.ofEpochMilli(fields.count("receivedMs")),
          Instant.ofEpochMilli(fields.count("seenMs")));
    } catch (JsonException unreadable) {
      throw new IllegalArgumentException("this is no record of a leave: " + unreadable.getMessage(), unreadable);
    }
  }
}
