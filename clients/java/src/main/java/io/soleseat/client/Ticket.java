package io.soleseat.client;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.util.Base64;
import java.util.Optional;
import java.util.regex.Pattern;

/** What a signed ticket says. */
record Ticket(String user, String org, String machine, String sessionId, long lifeMs, Optional<String> nonce) {
  private static final Pattern BASE64URL = Pattern.compile("[A-Za-z0-9_-]+");
  private static final String TYPE = "soleseat-ticket+jwt";

  /** Why a ticket is not good, as a sentence. */
  static final class BadTicket extends Exception {
    private static final long serialVersionUID = 1;

    BadTicket(String message) {
      super(message);
    }
  }

  /** What the ticket says, where one of the keys signed it (RFC 7515, ES256). Looks at no clock. */
  static Ticket verify(String ticket, TicketKeys keys) throws BadTicket {
    String[] parts = ticket.split("\\.", -1);
    if (parts.length != 3) throw new BadTicket("The ticket has not three parts.");
    try {
      Fields header = fields(parts[0]);
      boolean isTicket = "ES256".equals(header.map().get("alg")) && TYPE.equals(header.map().get("typ"));
      if (!isTicket || header.map().containsKey("crit"))
        throw new BadTicket("It is no ticket, or signed in another way than ES256.");
      String kid = header.optionalText("kid").orElse("");
      PublicKey key =
          keys.named(kid).orElseThrow(() -> new BadTicket("No key of the program has the name " + kid + "."));
      if (!isSigned(parts, key)) throw new BadTicket("The signature of the ticket is not that of its key.");
      return claims(fields(parts[1]));
    } catch (JsonException | IllegalArgumentException | GeneralSecurityException unreadable) {
      throw new BadTicket("The ticket cannot be read: " + unreadable.getMessage());
    }
  }

  private static boolean isSigned(String[] parts, PublicKey key) throws GeneralSecurityException {
    byte[] signature = bytes(parts[2]);
    if (signature.length != 64) return false;
    Signature check = Signature.getInstance("SHA256withECDSAinP1363Format");
    check.initVerify(key);
    check.update((parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII));
    return check.verify(signature);
  }

  private static Ticket claims(Fields claims) throws JsonException {
    claims.text("iss");
    claims.count("epoch");
    return new Ticket(
        claims.text("sub"),
        claims.text("org"),
        claims.text("machine"),
        claims.text("sessionId"),
        (claims.count("exp") - claims.count("iat")) * 1_000,
        claims.optionalText("nonce"));
  }

  /** base64url without padding (RFC 4648). */
  private static byte[] bytes(String part) {
    if (!BASE64URL.matcher(part).matches()) throw new IllegalArgumentException("a part is not in base64url");
    return Base64.getUrlDecoder().decode(part);
  }

  private static Fields fields(String part) throws JsonException {
    return Fields.of(JsonReader.read(new String(bytes(part), StandardCharsets.UTF_8)));
  }
}
