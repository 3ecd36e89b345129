package io.soleseat.client;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads JSON as RFC 8259 has it, and nothing else. An object is a Map, an array a List, a whole number a Long (an epoch has
 * 16 digits), any other number a Double, and null is null. Of two fields with the same name the later one counts.
 */
final class JsonReader {
  /** Nobody nests deeper, and a stack has an end. */
  static final int MAX_DEPTH = 32;

  private final String text;
  private int at = 0;
  private int depth = 0;

  private JsonReader(String text) {
    this.text = text;
  }

  /** Throws {@link JsonException} where the text is not one JSON value. */
  static Object read(String text) throws JsonException {
    JsonReader reader = new JsonReader(text);
    Object value = reader.value();
    reader.skipBlanks();
    if (reader.at < text.length()) throw reader.fault("something after the end");
    return value;
  }

  private Object value() throws JsonException {
    return switch (next()) {
      case '{' -> nested(this::object);
      case '[' -> nested(this::array);
      case '"' -> string();
      case 't' -> word("true", Boolean.TRUE);
      case 'f' -> word("false", Boolean.FALSE);
      case 'n' -> word("null", null);
      default -> number();
    };
  }

  private interface Part {
    Object read() throws JsonException;
  }

  private Object nested(Part part) throws JsonException {
    if (++depth > MAX_DEPTH) throw fault("nested more than " + MAX_DEPTH + " deep");
    Object value = part.read();
    depth--;
    return value;
  }

  private Map<String, Object> object() throws JsonException {
    Map<String, Object> fields = new LinkedHashMap<>();
    at++;
    if (isNext('}')) return fields;
    do {
      if (next() != '"') throw fault("a name is missing");
      String name = string();
      expect(':');
      fields.put(name, value());
    } while (isNext(','));
    expect('}');
    return fields;
  }

  private List<Object> array() throws JsonException {
    List<Object> values = new ArrayList<>();
    at++;
    if (isNext(']')) return values;
    do {
      values.add(value());
    } while (isNext(','));
    expect(']');
    return values;
  }

  private String string() throws JsonException {
    StringBuilder string = new StringBuilder();
    at++;
    for (; ; ) {
      char c = take();
      if (c == '"') return string.toString();
      if (c < ' ') throw fault("a control character in a string");
      string.append(c == '\\' ? escaped() : c);
    }
  }

  private char escaped() throws JsonException {
    char c = take();
    return switch (c) {
      case '"', '\\', '/' -> c;
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'u' -> hexCharacter();
      default -> throw fault("an unknown escape");
    };
  }

  private char hexCharacter() throws JsonException {
    int character = 0;
    for (int i = 0; i < 4; i++) {
      char c = take();
      // Character.digit also knows the digits of other scripts.
      int digit = c < 128 ? Character.digit(c, 16) : -1;
      if (digit < 0) throw fault("four hexadecimal digits are missing");
      character = character * 16 + digit;
    }
    return (char) character;
  }

  private Number number() throws JsonException {
    int from = at;
    if (isAt('-')) at++;
    if (isAt('0')) at++;
    else digits();
    boolean isWhole = true;
    if (isAt('.')) {
      isWhole = false;
      at++;
      digits();
    }
    if (isAt('e') || isAt('E')) {
      isWhole = false;
      at++;
      if (isAt('+') || isAt('-')) at++;
      digits();
    }
    String digits = text.substring(from, at);
    if (!isWhole) return Double.valueOf(digits);
    try {
      return Long.valueOf(digits);
    } catch (NumberFormatException tooLong) {
      return Double.valueOf(digits);
    }
  }

  private void digits() throws JsonException {
    int from = at;
    while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') at++;
    if (at == from) throw fault("not a value");
  }

  private Object word(String word, Object meaning) throws JsonException {
    if (!text.startsWith(word, at)) throw fault("not a value");
    at += word.length();
    return meaning;
  }

  private boolean isAt(char c) {
    return at < text.length() && text.charAt(at) == c;
  }

  /** Passes that character, after blanks, if it is the next one. */
  private boolean isNext(char c) {
    skipBlanks();
    if (!isAt(c)) return false;
    at++;
    return true;
  }

  private void expect(char c) throws JsonException {
    if (!isNext(c)) throw fault("'" + c + "' is missing");
  }

  private char next() throws JsonException {
    skipBlanks();
    if (at >= text.length()) throw fault("the end is missing");
    return text.charAt(at);
  }

  private char take() throws JsonException {
    if (at >= text.length()) throw fault("the end is missing");
    return text.charAt(at++);
  }

  private void skipBlanks() {
    while (isAt(' ') || isAt('\t') || isAt('\n') || isAt('\r')) at++;
  }

  private JsonException fault(String what) {
    return new JsonException("not JSON at character " + at + ": " + what);
  }
}
