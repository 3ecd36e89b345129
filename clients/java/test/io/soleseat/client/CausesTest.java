package io.soleseat.client;

import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpConnectTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import javax.net.ssl.SSLHandshakeException;

final class CausesTest {
  private static LossCause.Kind kindOf(Throwable fault) {
    return Causes.of(new CompletionException(fault)).kind();
  }

  void readsTheFaultsOfTheJdk() {
    ConnectException unresolved = new ConnectException();
    unresolved.initCause(new UnresolvedAddressException());
    Check.equal(kindOf(unresolved), LossCause.Kind.HOST_NOT_FOUND);
    Check.equal(kindOf(new ConnectException("Connection refused")), LossCause.Kind.REFUSED);
    Check.equal(kindOf(new HttpConnectTimeoutException("late")), LossCause.Kind.TIMEOUT);
    Check.equal(kindOf(new SSLHandshakeException("PKIX path building failed")), LossCause.Kind.TLS);
    Check.equal(kindOf(new IOException(new EOFException())), LossCause.Kind.NETWORK);
    Check.equal(kindOf(new IllegalStateException((String) null)), LossCause.Kind.NETWORK);
  }

  void readsRetryAfterInSecondsAndAsADate() {
    Instant now = Instant.parse("2026-11-25T10:31:00Z");
    Check.equal(Causes.retryAfter(" 7 ", now), Optional.of(Duration.ofSeconds(7)));
    Check.equal(Causes.retryAfter("0", now), Optional.of(Duration.ZERO));
    Check.equal(Causes.retryAfter("Wed, 25 Nov 2026 10:31:30 GMT", now), Optional.of(Duration.ofSeconds(30)));
    Check.equal(Causes.retryAfter("Wed, 25 Nov 2026 10:30:00 GMT", now), Optional.of(Duration.ZERO));
    for (String unreadable : new String[] {"", "soon", "-1", "1.5", "99999999999", "Wed, 25 Nov 2026"})
      Check.equal(Causes.retryAfter(unreadable, now), Optional.empty());
  }
}
