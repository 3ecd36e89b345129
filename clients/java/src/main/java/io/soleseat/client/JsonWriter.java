package io.soleseat.client;

import java.util.Map;

/** Writes what the client says: objects of texts, whole numbers, truth values and objects. */
final class JsonWriter {
  private final StringBuilder text = new StringBuilder();

  private JsonWriter() {}

  /** Throws IllegalArgumentException for a value of another type. */
  static String write(Map<String, ?> object) {
    JsonWriter writer = new JsonWriter();
    writer.value(object);
    return writer.text.toString();
  }

  private void value(Object value) {
    if (value instanceof Map<?, ?> map) object(map);
    else if (value instanceof String string) string(string);
    else if (value instanceof Long || value instanceof Integer || value instanceof Boolean) text.append(value);
    else throw new IllegalArgumentException("no JSON is known for " + value);
  }

  private void object(Map<?, ?> map) {
    String separator = "{";
    for (Map.Entry<?, ?> field : map.entrySet()) {
      text.append(separator);
      string((String) field.getKey());
      text.append(':');
      value(field.getValue());
      separator = ",";
    }
    text.append(map.isEmpty() ? "{}" : "}");
  }

  private void string(String string) {
    text.append('"');
    for (int i = 0; i < string.length(); i++) {
      char c = string.charAt(i);
      if (c == '"' || c == '\\') text.append('\\').append(c);
      else if (c < ' ' || isHalfPair(string, i)) text.append(String.format("\\u%04x", (int) c));
      else text.append(c);
    }
    text.append('"');
  }

  /** Half of a surrogate pair cannot be written as UTF-8. */
  private static boolean isHalfPair(String string, int i) {
    char c = string.charAt(i);
    if (Character.isHighSurrogate(c))
      return i + 1 == string.length() || !Character.isLowSurrogate(string.charAt(i + 1));
    return Character.isLowSurrogate(c) && (i == 0 || !Character.isHighSurrogate(string.charAt(i - 1)));
  }
}
