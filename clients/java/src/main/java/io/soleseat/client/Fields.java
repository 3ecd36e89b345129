package io.soleseat.client;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The fields of a JSON object. A field that is not there, and one that is null, are the same: left out. A needed field that
 * cannot be read makes the whole message one that cannot be read.
 */
record Fields(Map<?, ?> map) {
  /** The largest whole number that every JSON library reads exactly. */
  private static final double MOST = 9_007_199_254_740_991.0;

  static Fields of(Object value) throws JsonException {
    if (value instanceof Map<?, ?> map) return new Fields(map);
    throw new JsonException("not an object");
  }

  String text(String name) throws JsonException {
    if (map.get(name) instanceof String text) return text;
    throw new JsonException(name + " is no text");
  }

  Optional<String> optionalText(String name) {
    return map.get(name) instanceof String text && !text.isEmpty() ? Optional.of(text) : Optional.empty();
  }

  boolean isTrue(String name) {
    return Boolean.TRUE.equals(map.get(name));
  }

  /** A number from 0 on. */
  long count(String name) throws JsonException {
    OptionalLong count = optionalCount(name);
    if (count.isEmpty()) throw new JsonException(name + " is missing");
    return count.getAsLong();
  }

  /** Throws where the field is there and is no number from 0 on. */
  OptionalLong optionalCount(String name) throws JsonException {
    Object value = map.get(name);
    if (value == null) return OptionalLong.empty(); // [null-left-out]
    if (value instanceof Long count && count >= 0) return OptionalLong.of(count); // [epoch-digits]
    // A fraction comes from nobody, and is no reason to end a session.
    if (value instanceof Double count && count >= 0 && count <= MOST) return OptionalLong.of(count.longValue());
    throw new JsonException(name + " is no number from 0 on");
  }

  /** Empty where it cannot be read. */
  OptionalLong lenientCount(String name) {
    try {
      return optionalCount(name);
    } catch (JsonException unreadable) {
      return OptionalLong.empty();
    }
  }

  /** A time in Unix ms, for people to read. Empty where it cannot be read. */
  Optional<Instant> optionalTime(String name) {
    try {
      OptionalLong unixMs = lenientCount(name);
      return unixMs.isPresent() ? Optional.of(Instant.ofEpochMilli(unixMs.getAsLong())) : Optional.empty();
    } catch (DateTimeException unreadable) {
      return Optional.empty();
    }
  }

  /** An object without fields where there is none. */
  Fields inner(String name) {
    return new Fields(map.get(name) instanceof Map<?, ?> inner ? inner : Map.of());
  }

  boolean isObject(String name) {
    return map.get(name) instanceof Map<?, ?>;
  }
}
