package io.soleseat.client;

/** What the first attempt does when another machine has the seat. Every later attempt of the library denies. */
public enum ConflictPolicy {
  /** Displaces the other machine: starting a program is a person's act. The default. */
  TAKEOVER,
  /** Displaces nobody: {@link SeatListener#onConflict} tells who has the seat. */
  DENY;

  String wireName() {
    return this == TAKEOVER ? "takeover" : "deny";
  }
}
