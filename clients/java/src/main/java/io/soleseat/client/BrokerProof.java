package io.soleseat.client;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Optional;

/** Tells the vendor's broker from another one, on one connection: that one alone signs the nonce of this `hello`. */
final class BrokerProof {
  private static final int NONCE_BYTES = 16;

  private final TicketKeys keys;
  private final String nonce;
  private boolean isProven = false;

  BrokerProof(TicketKeys keys) {
    this(keys, newNonce()); // [nonce-fresh]
  }

  /** A test may know the nonce. */
  BrokerProof(TicketKeys keys, String nonce) {
    this.keys = keys;
    this.nonce = nonce;
  }

  private static String newNonce() {
    byte[] bytes = new byte[NONCE_BYTES];
    new SecureRandom().nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  String nonce() {
    return nonce;
  }

  /** Whether a message may be believed that gives a seat without a ticket of its own. */
  boolean allows(ServerMessage message) {
    boolean gives = message instanceof ServerMessage.Lease || message instanceof ServerMessage.Left;
    return isProven || !gives; // [ticket-first]
  }

  /** Empty where the ticket proves the broker, or a sentence on what is wrong with it. Looks at no clock. [ticket-no-clock] */
  Optional<String> faultOf(ServerMessage.Welcome welcome) {
    isProven = false;
    if (welcome.ticket().isEmpty()) return Optional.of("The broker showed no ticket.");
    try {
      Ticket ticket = Ticket.verify(welcome.ticket().get(), keys);
      boolean isOurs = ticket.nonce().equals(Optional.of(nonce)) && ticket.sessionId().equals(welcome.session().sessionId());
      isProven = isOurs; // [ticket-proves]
      return isOurs ? Optional.empty() : Optional.of("The ticket of the broker is for another connection.");
    } catch (Ticket.BadTicket bad) {
      return Optional.of(bad.getMessage());
    }
  }
}
