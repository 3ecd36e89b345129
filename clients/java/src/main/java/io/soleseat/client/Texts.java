package io.soleseat.client;

import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Optional;

/** The texts of `hello`: 1 to 128 bytes of UTF-8 without control or direction characters. */
final class Texts {
  static final int MAX_BYTES = 128;

  private Texts() {}

  /** Throws IllegalArgumentException for a text that the broker would refuse. */
  static void check(String field, String text) {
    Objects.requireNonNull(text, field);
    if (text.isEmpty()) throw new IllegalArgumentException(field + " is empty");
    if (bytesOf(text) > MAX_BYTES)
      throw new IllegalArgumentException(field + " has more than " + MAX_BYTES + " bytes of UTF-8");
    if (!text.codePoints().allMatch(Texts::isPlain))
      throw new IllegalArgumentException(field + " has control or direction characters");
  }

  /** What can be shown of a text that the system gave, cut to what the broker takes. Empty where nothing is left. */
  static Optional<String> shown(String text) {
    StringBuilder shown = new StringBuilder();
    int bytes = 0;
    for (int point : text.strip().codePoints().filter(Texts::isPlain).toArray()) {
      bytes += bytesOf(Character.toString(point));
      if (bytes > MAX_BYTES) break;
      shown.appendCodePoint(point);
    }
    return shown.isEmpty() ? Optional.empty() : Optional.of(shown.toString());
  }

  private static int bytesOf(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  private static boolean isPlain(int point) {
    // U+202A to U+202E and U+2066 to U+2069 turn the direction of what follows, as did U+206A to U+206F.
    boolean isDirection = (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x206F)
        || point == 0x061C || point == 0x200E || point == 0x200F;
    // They separate lines and paragraphs, or mark annotations.
    boolean isSeparator = point == 0x2028 || point == 0x2029 || (point >= 0xFFF9 && point <= 0xFFFB);
    boolean isHalfPair = point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE;
    return !Character.isISOControl(point) && !isDirection && !isSeparator && !isHalfPair;
  }
}
