package io.soleseat.client;

import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * Says whether a seat that was taken along may be used offline at this moment. It holds while the machine's clock lies between the
 * latest time that it has shown and the end of the leave: so to set the clock back gains nothing.
 */
public final class LeaveChecker {
  private final TicketKeys keys;
  private final String machineId;
  private String user = null;
  private String org = null;

  /**
   * A checker for this machine.
   *
   * @param keys the public keys of the vendor's broker, built into the program
   * @param machineId the id of this machine, as {@link Machine#id()}
   */
  public LeaveChecker(TicketKeys keys, String machineId) {
    this.keys = Objects.requireNonNull(keys, "keys");
    this.machineId = Objects.requireNonNull(machineId, "machineId");
  }

  /**
   * Only that user may use the ticket.
   *
   * @param name the user, as in the token
   * @return this checker
   */
  public LeaveChecker user(String name) {
    user = Objects.requireNonNull(name, "name");
    return this;
  }

  /**
   * Only users of that org may use the ticket.
   *
   * @param name the org, as in the token
   * @return this checker
   */
  public LeaveChecker org(String name) {
    org = Objects.requireNonNull(name, "name");
    return this;
  }

  /** Why a seat that was taken along may not be used. */
  public enum Refusal {
    /** The ticket cannot be read, or nobody known signed it. */
    BAD_TICKET,
    /** The seat was taken along on another machine. */
    OTHER_MACHINE,
    /** Another user took the seat along. */
    OTHER_USER,
    /** The seat is that of another org. */
    OTHER_ORG,
    /** The machine's clock shows less than it did before. */
    CLOCK_SET_BACK,
    /** The time is over. */
    OVER
  }

  /**
   * What a look says.
   *
   * @param refusal why the seat may not be used; empty where it may
   * @param message a sentence for people about that; empty where the seat may be used
   * @param until until when it may be used, by the machine's clock
   * @param record the record to keep from now on
   */
  public record Look(Optional<Refusal> refusal, String message, Optional<Instant> until, LeaveRecord record) {
    /**
     * Whether the seat may be used.
     *
     * @return true where it may
     */
    public boolean holds() {
      return refusal.isEmpty();
    }
  }

  /**
   * Looks at this moment. Keep the record that comes back.
   *
   * @param record what was kept
   * @return what is to be thought of it
   */
  public Look look(LeaveRecord record) {
    return look(record, Instant.now());
  }

  /**
   * As {@link #look(LeaveRecord)}, at a time of a test.
   *
   * @param record what was kept
   * @param now what the machine's clock shows
   * @return what is to be thought of it
   */
  public Look look(LeaveRecord record, Instant now) {
    Instant seen = now.isAfter(record.seenAt()) ? now : record.seenAt();
    LeaveRecord kept = new LeaveRecord(record.ticket(), record.granted(), record.receivedAt(), seen);
    Ticket ticket;
    try {
      ticket = Ticket.verify(record.ticket(), keys);
    } catch (Ticket.BadTicket bad) {
      return no(Refusal.BAD_TICKET, bad.getMessage(), kept);
    }
    if (ticket.nonce().isPresent()) return no(Refusal.BAD_TICKET, "The ticket is that of a connection.", kept);
    if (!ticket.machine().equals(machineId))
      return no(Refusal.OTHER_MACHINE, "The seat was taken along on another machine.", kept);
    if (user != null && !ticket.user().equals(user))
      return no(Refusal.OTHER_USER, "Another user took the seat along.", kept);
    if (org != null && !ticket.org().equals(org)) return no(Refusal.OTHER_ORG, "The seat is that of another org.", kept);
    // Not before the ticket came, either: a record may have been written by hand.
    if (now.isBefore(record.seenAt()) || now.isBefore(record.receivedAt()))
      return no(Refusal.CLOCK_SET_BACK, "The clock of this computer was set back.", kept);
    // Durations travel, and the ticket bounds what the record says.
    Instant until = record.receivedAt().plusMillis(Math.min(record.granted().toMillis(), ticket.lifeMs()));
    if (!now.isBefore(until)) return no(Refusal.OVER, "The time for which the seat was taken along is over.", kept);
    return new Look(Optional.empty(), "", Optional.of(until), kept);
  }

  private static Look no(Refusal refusal, String message, LeaveRecord kept) {
    return new Look(Optional.of(refusal), message, Optional.empty(), kept);
  }
}
