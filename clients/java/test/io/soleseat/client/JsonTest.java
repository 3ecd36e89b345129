package io.soleseat.client;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

final class JsonTest {
  void readsEveryKindOfValue() throws JsonException {
    Object value = JsonReader.read(" {\"a\":[1,-2.5,true,false,null,\"x\"],\"b\":{},\"c\":[ ],\"d\":1e3}\r\n\t");
    Map<String, Object> expected = new LinkedHashMap<>();
    expected.put("a", Arrays.asList(1L, -2.5, true, false, null, "x"));
    expected.put("b", Map.of());
    expected.put("c", List.of());
    expected.put("d", 1000.0);
    Check.equal(value, expected);
  }

  void readsAnEpochExactly() throws JsonException {
    Check.equal(JsonReader.read("1732523000001001"), 1732523000001001L);
    Check.equal(JsonReader.read("9223372036854775807"), Long.MAX_VALUE);
    Check.equal(JsonReader.read("9223372036854775808"), 9.223372036854775808e18);
  }

  void readsEscapes() throws JsonException {
    Check.equal(JsonReader.read("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00fc\\uD83D\\uDE00\""), "\"\\/\b\f\n\r\tü😀");
  }

  void refusesWhatIsNotJson() throws Exception {
    String[] bad = {
      "", " ", "{", "[", "\"", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}", "{,}", "[1,]", "[,1]", "[1 2]", "{\"a\" 1}",
      "{a:1}", "{'a':1}", "{1:2}", "{\"a\":1}}", "1 2", "tru", "True", "nul", "NaN", "Infinity", "undefined", "01", "+1",
      ".5", "5.", "1e", "1e+", "-", "--1", "0x10", "1_000", "١", "\"\n\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"",
      "\"\\u１２３４\"", "\"a", "\"a\\", "// x\n1", "\u00a01", "\ufeff1", "1,", "]", "}", ":", ","
    };
    for (String text : bad) {
      try {
        JsonReader.read(text);
      } catch (JsonException expected) {
        continue;
      }
      throw new AssertionError("was read: " + text);
    }
  }

  void hasAnEndToItsDepth() throws Exception {
    String deepest = "[".repeat(JsonReader.MAX_DEPTH) + "]".repeat(JsonReader.MAX_DEPTH);
    JsonReader.read(deepest);
    Check.fails(JsonException.class, "deep", () -> JsonReader.read("[" + deepest + "]"));
    Check.fails(JsonException.class, "deep", () -> JsonReader.read("{\"a\":".repeat(200_000)));
    // Beside each other is not in each other.
    JsonReader.read("[" + "[[]],".repeat(1_000) + "[]]");
  }

  void writesWhatItReads() throws JsonException {
    Map<String, Object> message = new LinkedHashMap<>();
    message.put("type", "hello");
    message.put("machine", Map.of("id", "a\"b\\c\u0001\nü😀"));
    message.put("attempt", 3L);
    message.put("isIt", true);
    message.put("none", Map.of());
    Check.equal(JsonReader.read(JsonWriter.write(message)), message);
  }

  void writesHalfACharacterSoThatItIsUtf8() {
    Check.equal(JsonWriter.write(Map.of("a", "\ud83d")), "{\"a\":\"\\ud83d\"}");
    Check.equal(JsonWriter.write(Map.of("a", "\ude00x")), "{\"a\":\"\\ude00x\"}");
  }
}
