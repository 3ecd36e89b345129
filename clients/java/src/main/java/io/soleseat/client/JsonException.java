package io.soleseat.client;

/** A text is not JSON. */
final class JsonException extends Exception {
  private static final long serialVersionUID = 1;

  JsonException(String message) {
    super(message);
  }
}
