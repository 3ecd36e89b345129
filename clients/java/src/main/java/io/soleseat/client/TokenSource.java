package io.soleseat.client;

/**
 * Gives the token that the broker asks for, usually by asking the program's own server.
 *
 * <p>It is called on a daemon thread of the library and may block, for as long as the token timeout (15 s unless
 * {@link SeatClientBuilder#tokenTimeout} says otherwise). Then its thread is interrupted, and what it returns later is
 * ignored. The same happens when the attempt that wanted the token is given up.
 */
@FunctionalInterface
public interface TokenSource {
  /**
   * Gives a token.
   *
   * @param need why a token is wanted
   * @return the token (a JWT), neither {@code null} nor empty
   * @throws Exception if there is none to be had. The message is handed to {@link SeatListener#onError}, and the library
   *     asks again after a wait
   */
  String getToken(TokenNeed need) throws Exception;
}
