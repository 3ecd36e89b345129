package io.soleseat.client;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Why a connection ended, or why an attempt came to nothing.
 *
 * @param kind what kind of cause it is
 * @param message a sentence, with the next step where there is one
 * @param status the HTTP status, where the handshake was answered with one other than 101
 * @param retryAfter how long the broker asks to wait; the library adds it to its own wait
 */
public record LossCause(Kind kind, String message, OptionalInt status, Optional<Duration> retryAfter) {
  /**
   * Checks that nothing is {@code null}.
   *
   * @param kind what kind of cause it is
   * @param message a sentence
   * @param status the HTTP status of a handshake
   * @param retryAfter how long to wait
   */
  public LossCause {
    Objects.requireNonNull(kind, "kind");
    Objects.requireNonNull(message, "message");
    Objects.requireNonNull(status, "status");
    Objects.requireNonNull(retryAfter, "retryAfter");
  }

  /** The kinds of cause. */
  public enum Kind {
    /** The handshake was answered with an HTTP status. */
    STATUS,
    /** The certificate of the broker is not trusted, or there is no TLS at that address. */
    TLS,
    /** The name of the host is not known. */
    HOST_NOT_FOUND,
    /** Nobody listens at that address. */
    REFUSED,
    /** The attempt was not answered in time. */
    TIMEOUT,
    /** The token source failed. */
    TOKEN,
    /** The broker closed the connection. */
    CLOSE,
    /** Nothing was heard for too long. */
    SILENCE,
    /** Anything else. */
    NETWORK
  }

  static LossCause of(Kind kind, String message) {
    return new LossCause(kind, message, OptionalInt.empty(), Optional.empty());
  }
}
