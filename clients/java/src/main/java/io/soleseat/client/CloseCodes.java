package io.soleseat.client;

import java.util.List;
import java.util.Optional;

/** The table of close codes, as in PROTOCOL.md, "Closing". */
final class CloseCodes {
  static final int NORMAL = 1000;
  /** The code of a close that no close frame announced (RFC 6455 section 7.1.5). */
  static final int NO_CLOSE_FRAME = 1006;
  /** Sent when this end leaves without releasing. To the broker it is a lost connection. */
  static final int LEFT = 4000;

  static final int TOKEN_EXPIRED = 4001;
  static final int TOKEN_NOT_YET_ACCEPTED = 4002;

  record Row(int code, String reason, String meaning) {}

  static final List<Row> TABLE =
      List.of(
          new Row(1000, "released", "The program released the seat."),
          new Row(1000, "left", "The program took the seat along, to use it offline."),
          new Row(1002, "protocol_error", "The peer broke the WebSocket protocol."),
          new Row(1003, "binary_not_supported", "Only text frames are understood."),
          new Row(1012, "draining", "The node is going away; reconnect, the session resumes elsewhere."),
          new Row(1013, "overloaded", "The node failed at this; reconnect later."),
          new Row(1013, "store_unavailable", "Redis is out of reach, so no seat can be granted at present."),
          new Row(4001, "token_expired", "The token ended; fetch a new one, then reconnect."),
          new Row(4002, "token_not_yet_accepted", "The key of the token is not known yet, or the token begins later; fetch another one."),
          new Row(4008, "slow_consumer", "The client does not read what it is sent."),
          new Row(4010, "lease_lost", "The node could not confirm the lease in time."),
          new Row(4014, "no_pong", "The client did not answer a ping."),
          new Row(4408, "hello_timeout", "No complete hello came in time."),
          new Row(4409, "stale_attempt", "An older hello of this process came after a newer one; it changed nothing."),
          new Row(4429, "rate_limited", "Too many messages, pings or attempts; wait before reconnecting."),
          new Row(4500, "bad_request", "Three bad messages on one connection, or a hello that can never be right."),
          new Row(4501, "unauthorized", "The token is missing or not accepted."),
          new Row(4503, "forbidden", "The token gives no right to this."),
          new Row(4505, "machine_not_allowed", "The org does not allow this machine."),
          new Row(4506, "unsupported_protocol", "The client offered no subprotocol that the node speaks."),
          new Row(4507, "client_too_old", "The org asks for a newer version of the program."),
          new Row(4509, "taken_over", "Another machine of the same user took the seat."),
          new Row(4509, "superseded", "A newer connection of the same machine took the seat."),
          new Row(4510, "evicted_by_admin", "An administrator ended the session."),
          new Row(4510, "signed_out", "The user signed this machine out."),
          new Row(4510, "user_renamed", "The user has another name now: sign in again."),
          new Row(4511, "license_suspended", "The license is suspended."),
          new Row(4511, "license_revoked", "The license was revoked."),
          new Row(4511, "org_suspended", "The org is suspended."),
          new Row(4512, "license_expired", "The license has expired."),
          new Row(4513, "license_required", "The user has no license in this org."),
          new Row(4513, "license_not_started", "The license begins later."),
          new Row(4514, "quota_exhausted", "The org has issued all the licenses that it bought."),
          new Row(4515, "seats_exhausted", "As many users as the org may have at once have a seat."),
          new Row(4516, "token_revoked", "The token was revoked."),
          new Row(4517, "idle_timeout", "The session was idle for longer than the org allows."),
          new Row(4529, "flapping", "Two machines are fighting over the seat; a person must act."));

  private CloseCodes() {}

  /** Whether no attempt may follow by itself. Arithmetic, so that later codes are read rightly. */
  static boolean isFinal(int code) {
    return code >= 4500 && code < 5000; // [final-codes]
  }

  /**
   * Whether an eviction is final by its reason: its close frame may get lost. A reason that this version does not know counts
   * as final, as that steals from nobody.
   */
  static boolean endsForGood(String reason) {
    return byReason(reason).map(row -> isFinal(row.code())).orElse(true); // [evicted-without-close]
  }

  /** A sentence for people. */
  static String sentence(int code, String reason) {
    return byReason(reason)
        .or(() -> TABLE.stream().filter(row -> row.code() == code).findFirst())
        .map(Row::meaning)
        .orElse("The broker closed the connection with code " + code + ".");
  }

  /** A sentence for people about an eviction. */
  static String sentence(String reason) {
    return byReason(reason).map(Row::meaning).orElse("The broker ended the session: " + reason + ".");
  }

  private static Optional<Row> byReason(String reason) {
    return TABLE.stream().filter(row -> row.reason().equals(reason)).findFirst();
  }
}
