package io.soleseat.client;

import java.math.BigInteger;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The public keys of the vendor's broker, for tickets. Build them into the program: the broker shows them at {@code /v1/keys}.
 */
public final class TicketKeys {
  private final Map<String, PublicKey> byName;

  private TicketKeys(Map<String, PublicKey> byName) {
    this.byName = byName;
  }

  /**
   * Reads a key set (RFC 7517). Other keys than those of P-256 are passed over.
   *
   * @param json the key set, as {@code /v1/keys} shows it
   * @return the keys
   * @throws IllegalArgumentException if the text is no key set, or has no key of P-256
   */
  public static TicketKeys parse(String json) {
    try {
      Map<String, PublicKey> keys = new HashMap<>();
      Object list = Fields.of(JsonReader.read(json)).map().get("keys");
      if (list instanceof List<?> rows) {
        ECParameterSpec curve = curve();
        for (Object row : rows) add(keys, Fields.of(row), curve);
      }
      if (keys.isEmpty()) throw new IllegalArgumentException("the key set has no key of P-256 with a name (kid)");
      return new TicketKeys(Map.copyOf(keys));
    } catch (JsonException | GeneralSecurityException unreadable) {
      throw new IllegalArgumentException("this is no key set: " + unreadable.getMessage(), unreadable);
    }
  }

  Optional<PublicKey> named(String kid) {
    return Optional.ofNullable(byName.get(kid));
  }

  private static void add(Map<String, PublicKey> keys, Fields key, ECParameterSpec curve)
      throws JsonException, GeneralSecurityException {
    boolean isOurs = "EC".equals(key.map().get("kty")) && "P-256".equals(key.map().get("crv"));
    Optional<String> name = key.optionalText("kid");
    if (!isOurs || name.isEmpty()) return;
    ECPoint point = new ECPoint(number(key.text("x")), number(key.text("y")));
    keys.put(name.get(), KeyFactory.getInstance("EC").generatePublic(new ECPublicKeySpec(point, curve)));
  }

  private static BigInteger number(String base64url) {
    return new BigInteger(1, Base64.getUrlDecoder().decode(base64url));
  }

  private static ECParameterSpec curve() throws GeneralSecurityException {
    AlgorithmParameters parameters = AlgorithmParameters.getInstance("EC");
    parameters.init(new ECGenParameterSpec("secp256r1"));
    return parameters.getParameterSpec(ECParameterSpec.class);
  }
}
