/**
 * The soleseat client: one user, one live session. {@link io.soleseat.client.SeatClient} is where to start.
 */
module io.soleseat.client {
  // An HttpClient is an option of the public API: programs with a proxy or a private CA give their own.
  requires transitive java.net.http;

  exports io.soleseat.client;
}
