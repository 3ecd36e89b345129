package io.soleseat.client;

import java.util.OptionalLong;

/** What was said on a connection that matters once it is closed. */
final class Seen {
  /** The reason of the eviction; null where there was none. */
  String evictedFor = null;
  /** The broker's sentence; null where it sent no error. */
  String errorMessage = null;
  OptionalLong drainWithinMs = OptionalLong.empty();
  long retryAfterMs = 0;
  /** What was asked for with `takeover` and is not answered yet; null where nothing was. */
  Claim claiming = null;
  /** The holder is being asked. */
  boolean isAsking = false;
  /** A person clicked meanwhile. */
  boolean wantsSeat = false;

  enum Claim {
    SEAT,
    FREE_SEAT
  }

  /** The seat went on behind an error without a close: it says nothing about the loss that comes some day. */
  void forgetError() {
    errorMessage = null;
    retryAfterMs = 0;
  }
}
