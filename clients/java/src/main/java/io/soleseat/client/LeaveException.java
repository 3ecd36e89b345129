package io.soleseat.client;

/** Why a seat was not taken along. The session goes on. */
public final class LeaveException extends Exception {
  private static final long serialVersionUID = 1;

  /** The code of the broker. */
  private final String code;

  LeaveException(String code, String message) {
    super(message);
    this.code = code;
  }

  /**
   * Why, for the program.
   *
   * @return the broker's code, such as {@code leave_not_allowed}; {@code connection_lost} where none came
   */
  public String code() {
    return code;
  }
}
