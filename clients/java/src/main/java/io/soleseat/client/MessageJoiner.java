package io.soleseat.client;

import java.util.Optional;

/** Joins the parts in which the JDK delivers a message. A message above the limit is passed over, and costs no memory. */
final class MessageJoiner {
  /** Many times what a broker sends. */
  static final int MOST_CHARACTERS = 262_144;

  private final StringBuilder parts = new StringBuilder();
  private boolean isTooLong = false;

  /** The message, once its last part is here and it is not too long. */
  Optional<String> add(CharSequence part, boolean isLast) {
    if (parts.length() + part.length() > MOST_CHARACTERS) isTooLong = true;
    if (!isTooLong) parts.append(part);
    if (!isLast) return Optional.empty(); // [fragments]
    Optional<String> message = isTooLong ? Optional.empty() : Optional.of(parts.toString());
    isTooLong = false;
    parts.setLength(0);
    parts.trimToSize();
    return message;
  }
}
