package io.soleseat.client;

/** Why a token is wanted. Except for {@link #CONNECT}, a cached token is of no use. */
public enum TokenNeed {
  /** For an attempt to connect. A cached token will do while it is valid. */
  CONNECT,
  /** The broker said that the token of the open connection ends soon. */
  TOKEN_EXPIRING,
  /** The last token had ended, or its request was answered 401. */
  TOKEN_EXPIRED,
  /** The broker does not accept the last token yet: its key is unknown, or it begins later. */
  TOKEN_NOT_YET_ACCEPTED
}
