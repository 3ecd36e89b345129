package io.soleseat.client;

import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/** What a client was made with. */
record Options(
    URI url,
    TokenSource tokenSource,
    long tokenTimeoutMs,
    Machine machine,
    ConflictPolicy onConflict,
    Map<String, Object> program,
    Optional<Supplier<Duration>> idle,
    boolean asks,
    Optional<TicketKeys> ticketKeys,
    Supplier<Optional<String>> ticket,
    Backoff backoff,
    long connectTimeoutMs,
    HttpClient http,
    Executor callbacks,
    SeatClock clock) {
  static final String SUBPROTOCOL = "soleseat.v1";

  /** The machine as `hello` names it. */
  Map<String, Object> machineFields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("id", machine.id());
    machine.name().ifPresent(name -> fields.put("name", name));
    machine.os().ifPresent(os -> fields.put("os", os));
    machine.kind().ifPresent(kind -> fields.put("kind", kind.wireName()));
    return fields;
  }
}
