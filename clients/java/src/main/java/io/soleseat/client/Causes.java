package io.soleseat.client;

import java.io.IOException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.net.http.WebSocketHandshakeException;
import java.nio.channels.UnresolvedAddressException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Optional;
import java.util.OptionalInt;
import javax.net.ssl.SSLException;

/** Reads off a fault of the JDK why an attempt came to nothing. */
final class Causes {
  private static final int SWITCHING_PROTOCOLS = 101;

  private Causes() {}

  static LossCause of(Throwable fault) {
    for (Throwable one = fault; one != null; one = one.getCause()) {
      if (one instanceof WebSocketHandshakeException refusal && refusal.getResponse() != null)
        return ofAnswer(refusal.getResponse(), refusal);
      if (one instanceof HttpTimeoutException)
        return LossCause.of(LossCause.Kind.TIMEOUT, "The broker did not answer in time.");
      if (one instanceof SSLException) return tls(one);
      if (one instanceof UnknownHostException || one instanceof UnresolvedAddressException)
        return LossCause.of(LossCause.Kind.HOST_NOT_FOUND, "The name of the broker's host is not known: check the URL and the DNS.");
    }
    if (has(fault, ConnectException.class))
      return LossCause.of(
          LossCause.Kind.REFUSED, "Nobody listens at the broker's address: check the host and the port, and whether the broker runs.");
    return LossCause.of(LossCause.Kind.NETWORK, "The connection broke" + detail(deepest(fault)) + ".");
  }

  private static LossCause tls(Throwable fault) {
    return LossCause.of(
        LossCause.Kind.TLS,
        "TLS failed" + detail(fault) + ". For a private CA give an HttpClient with an SSLContext that trusts it; for a broker without TLS use ws://.");
  }

  private static LossCause ofAnswer(HttpResponse<?> answer, Throwable fault) {
    int status = answer.statusCode();
    if (status == SWITCHING_PROTOCOLS)
      return LossCause.of(LossCause.Kind.NETWORK, "The address answered with another protocol than soleseat.v1" + detail(fault) + ".");
    Optional<Duration> retryAfter =
        answer.headers().firstValue("Retry-After").flatMap(text -> retryAfter(text, Instant.now()));
    return new LossCause(LossCause.Kind.STATUS, sentence(status), OptionalInt.of(status), retryAfter);
  }

  private static String sentence(int status) {
    String begin = "The handshake was answered with " + status + ": ";
    return switch (status) {
      case 400 -> begin + "the broker, or a proxy before it, takes the request for malformed.";
      case 401 -> begin + "a token, or a proxy's login, is not accepted.";
      case 403 ->
          begin
              + "the Origin is not allowed. This library sends none; where a proxy adds one, list it in SOLESEAT_ORIGINS of the broker.";
      case 404 -> begin + "there is no broker at that path. The path is usually /v1/connect.";
      case 405, 426 -> begin + "what answers is no WebSocket address, or a proxy before it does not pass on the Upgrade header.";
      case 407 -> begin + "the proxy wants a login. Give an HttpClient with an Authenticator.";
      case 429 -> begin + "too many attempts from this address. The library waits.";
      case 431 -> begin + "the request has too many headers, or too long ones.";
      case 502, 504 -> begin + "a proxy does not reach the broker.";
      case 503 -> begin + "the broker takes nobody at present. The library waits.";
      default -> begin + (status >= 300 && status < 400 ? "redirects are not followed. Mend the URL." : "it is no broker, or it failed.");
    };
  }

  /** Whole seconds, or a date (RFC 9110 section 10.2.3). Empty where it cannot be read. */
  static Optional<Duration> retryAfter(String text, Instant now) {
    String stripped = text.strip();
    if (stripped.matches("\\d{1,9}")) return Optional.of(Duration.ofSeconds(Long.parseLong(stripped)));
    try {
      Instant date = ZonedDateTime.parse(stripped, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
      return Optional.of(date.isAfter(now) ? Duration.between(now, date) : Duration.ZERO);
    } catch (DateTimeException unreadable) {
      return Optional.empty();
    }
  }

  private static boolean has(Throwable fault, Class<? extends IOException> type) {
    for (Throwable one = fault; one != null; one = one.getCause()) if (type.isInstance(one)) return true;
    return false;
  }

  private static Throwable deepest(Throwable fault) {
    Throwable deepest = fault;
    while (deepest != null && deepest.getCause() != null) deepest = deepest.getCause();
    return deepest;
  }

  private static String detail(Throwable fault) {
    return fault == null || fault.getMessage() == null ? "" : " (" + fault.getMessage() + ")";
  }
}
