package io.soleseat.client;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import java.util.regex.Pattern;

/** The broker's address, made whole. */
final class BrokerUrl {
  private static final String CONNECT_PATH = "/v1/connect";
  private static final Pattern TOKEN_NAME = Pattern.compile("token|jwt|auth", Pattern.CASE_INSENSITIVE);
  private static final Pattern TOKEN = Pattern.compile("[\\w-]+\\.[\\w-]+\\.[\\w-]*");

  private BrokerUrl() {}

  /**
   * http and https are taken as ws and wss, and an address without a path gets that of the broker. Throws
   * IllegalArgumentException, with the next step, for an address that can never do.
   */
  static URI complete(String text) {
    URI url = parse(text.strip());
    String scheme = scheme(url);
    if (url.getHost() == null)
      throw new IllegalArgumentException("url names no host: write it like wss://seats.example.com");
    if (url.getRawFragment() != null) throw new IllegalArgumentException("url has a fragment: leave out the # and what follows");
    if (url.getRawUserInfo() != null)
      throw new IllegalArgumentException("url has a user name or a password: the broker knows people by their token alone");
    refuseToken(url.getRawQuery()); // [token-not-in-url]
    String path = url.getRawPath();
    boolean hasPath = path != null && !path.isEmpty() && !path.equals("/");
    String query = url.getRawQuery() == null ? "" : "?" + url.getRawQuery();
    return parse(scheme + "://" + url.getRawAuthority() + (hasPath ? path : CONNECT_PATH) + query);
  }

  private static URI parse(String text) {
    try {
      return new URI(text);
    } catch (URISyntaxException fault) {
      throw new IllegalArgumentException("url cannot be read: " + fault.getReason(), fault);
    }
  }

  private static String scheme(URI url) {
    String scheme = url.getScheme() == null ? "" : url.getScheme().toLowerCase(Locale.ROOT);
    return switch (scheme) {
      case "ws", "http" -> "ws";
      case "wss", "https" -> "wss";
      default -> throw new IllegalArgumentException("url begins with none of ws://, wss://, http:// and https://");
    };
  }

  /** Addresses end in logs and histories. The message does not repeat the token. */
  private static void refuseToken(String query) {
    if (query == null) return;
    for (String pair : query.split("&")) {
      String[] parts = pair.split("=", 2);
      boolean isToken = TOKEN_NAME.matcher(parts[0]).find() || (parts.length == 2 && TOKEN.matcher(parts[1]).matches());
      if (isToken) throw new IllegalArgumentException("url has a token in its query: give it by token() instead");
    }
  }
}
