package io.soleseat.client;

import java.util.Locale;

/** What the first attempt does when another machine has the seat. Every later attempt of the library denies. */
public enum ConflictPolicy {
  /** Displaces the other machine: starting a program is a person's act. The default. */
  TAKEOVER,
  /** Displaces nobody: {@link SeatListener#onConflict} tells who has the seat. */
  DENY,
  /** Has the holder asked first: {@link SeatListener#onConflict} tells so, then a grant or {@link SeatListener#onAskRefused} the rest. */
  ASK;

  String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
