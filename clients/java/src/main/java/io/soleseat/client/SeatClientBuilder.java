package io.soleseat.client;

import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;

/** Describes a {@link SeatClient}. Not for several threads at once. Each option may be given again: the last one counts. */
public final class SeatClientBuilder {
  private static final Duration SHORTEST = Duration.ofMillis(1);
  private static final Duration LONGEST = Duration.ofMillis(Backoff.LONGEST_MS);

  private URI url = null;
  private TokenSource tokenSource = null;
  private Duration tokenTimeout = Duration.ofSeconds(15);
  private Machine machine = null;
  private ConflictPolicy onConflict = ConflictPolicy.TAKEOVER;
  private final Map<String, Object> program = new LinkedHashMap<>();
  private Supplier<Duration> idle = null;
  private boolean asks = false;
  private TicketKeys ticketKeys = null;
  private Supplier<Optional<String>> ticket = Optional::empty;
  private Duration firstWait = Duration.ofMillis(500);
  private Duration longestWait = Duration.ofSeconds(30);
  private Duration connectTimeout = Duration.ofSeconds(10);
  private HttpClient http = null;
  private Executor callbacks = null;
  private final List<SeatListener> listeners = new ArrayList<>();

  SeatClientBuilder() {}

  /**
   * The broker's address, such as {@code wss://seats.example.com}. Needed.
   *
   * @param text a ws, wss, http or https address; http and https are taken as ws and wss. Without a path, {@code /v1/connect}
   *     is added
   * @return this builder
   * @throws IllegalArgumentException if it is no such address, or has a fragment, a user name, or a token in its query
   */
  public SeatClientBuilder url(String text) {
    url = BrokerUrl.complete(Objects.requireNonNull(text, "url"));
    return this;
  }

  /**
   * The broker's address, as {@link #url(String)}. Needed.
   *
   * @param address the address
   * @return this builder
   * @throws IllegalArgumentException as {@link #url(String)} does
   */
  public SeatClientBuilder url(URI address) {
    return url(address.toString());
  }

  /**
   * Gives the tokens. Needed. It is asked before every attempt, and before a token ends.
   *
   * @param source the source of tokens
   * @return this builder
   */
  public SeatClientBuilder token(TokenSource source) {
    tokenSource = Objects.requireNonNull(source, "source");
    return this;
  }

  /**
   * How long the token source may take before it counts as failed: 15 s unless this is called.
   *
   * @param timeout more than zero, at most 24 days
   * @return this builder
   * @throws IllegalArgumentException if the time is not in these bounds
   */
  public SeatClientBuilder tokenTimeout(Duration timeout) {
    tokenTimeout = checked("tokenTimeout", timeout);
    return this;
  }

  /**
   * This computer, usually {@link MachineId#of}. Needed.
   *
   * @param thisMachine the machine
   * @return this builder
   */
  public SeatClientBuilder machine(Machine thisMachine) {
    machine = Objects.requireNonNull(thisMachine, "machine");
    return this;
  }

  /**
   * What the first attempt does when another machine has the seat: {@link ConflictPolicy#TAKEOVER} unless this is called.
   *
   * @param policy the policy
   * @return this builder
   */
  public SeatClientBuilder onConflict(ConflictPolicy policy) {
    onConflict = Objects.requireNonNull(policy, "policy");
    return this;
  }

  /**
   * Names the program to the broker.
   *
   * @param name the program's name, 1 to 128 bytes of UTF-8
   * @param version its version, 1 to 128 bytes of UTF-8
   * @return this builder
   * @throws IllegalArgumentException if a text is empty, too long or has control characters
   */
  public SeatClientBuilder program(String name, String version) {
    Texts.check("name", name);
    Texts.check("version", version);
    program.put("name", name);
    program.put("version", version);
    return this;
  }

  /**
   * Tells how long nobody has been at work. It is asked before every attempt, on a thread of the library, and must not block. The
   * idle limit of the org holds only for a program that gives this; it also calls {@link SeatClient#activity()}.
   *
   * @param time gives the time without activity
   * @return this builder
   */
  public SeatClientBuilder idle(Supplier<Duration> time) {
    idle = Objects.requireNonNull(time, "time");
    return this;
  }

  /**
   * The program answers when another machine asks for the seat: {@link SeatListener#onTakeoverRequested}, then
   * {@link SeatClient#answer}. Unless this is called, the other machine gets the seat without a question.
   *
   * @return this builder
   */
  public SeatClientBuilder asks() {
    asks = true;
    return this;
  }

  /**
   * The program works with the vendor's broker alone: a broker that cannot prove by a signed ticket that it has one of these keys is
   * refused ({@link SeatListener#onDenied}, {@code untrusted_broker}).
   *
   * @param keys the public keys, built into the program
   * @return this builder
   */
  public SeatClientBuilder brokerKeys(TicketKeys keys) {
    ticketKeys = Objects.requireNonNull(keys, "keys");
    return this;
  }

  /**
   * Gives the ticket of a seat that this machine took along, where it did. It is asked before every attempt, on a thread of the library.
   * {@link SeatListener#onLeaveEnded} says when to delete it.
   *
   * @param kept gives the ticket that was kept, or nothing
   * @return this builder
   */
  public SeatClientBuilder leaveTicket(Supplier<Optional<String>> kept) {
    ticket = Objects.requireNonNull(kept, "kept");
    return this;
  }

  /**
   * The waits between attempts. Each is random, between zero and a width that doubles with each failure: 500 ms at first and
   * 30 s at most unless this is called. What the broker asks for is added.
   *
   * @param first the width of the first wait; more than zero, at most 24 days
   * @param longest the width of the longest wait; more than zero, at most 24 days
   * @return this builder
   * @throws IllegalArgumentException if a time is not in these bounds
   */
  public SeatClientBuilder backoff(Duration first, Duration longest) {
    firstWait = checked("first", first);
    longestWait = checked("longest", longest);
    return this;
  }

  /**
   * How long an attempt may take, from dialling to the broker's answer: 10 s unless this is called.
   *
   * @param timeout more than zero, at most 24 days
   * @return this builder
   * @throws IllegalArgumentException if the time is not in these bounds
   */
  public SeatClientBuilder connectTimeout(Duration timeout) {
    connectTimeout = checked("connectTimeout", timeout);
    return this;
  }

  /**
   * Dials with that client: for a proxy of its own, a login at a proxy, or the {@code SSLContext} of a private CA. Unless
   * this is called, the library makes one with the proxy of the system ({@link java.net.ProxySelector#getDefault()}) and the
   * trust of the JDK. The library does not close it.
   *
   * @param client the client
   * @return this builder
   */
  public SeatClientBuilder httpClient(HttpClient client) {
    http = Objects.requireNonNull(client, "client");
    return this;
  }

  /**
   * Calls listeners by that executor, for example {@code SwingUtilities::invokeLater} or {@code display::asyncExec}. Events
   * stay in order, one at a time, also on one with several threads. It must not run a task in the call itself: a listener
   * that blocks would then stop the renewals.
   *
   * @param executor the executor
   * @return this builder
   */
  public SeatClientBuilder callbackExecutor(Executor executor) {
    callbacks = Objects.requireNonNull(executor, "executor");
    return this;
  }

  /**
   * Adds a listener, which misses nothing.
   *
   * @param listener the listener
   * @return this builder
   */
  public SeatClientBuilder listener(SeatListener listener) {
    listeners.add(Objects.requireNonNull(listener, "listener"));
    return this;
  }

  /**
   * Makes the client, which begins to connect at once.
   *
   * @return the client
   * @throws IllegalStateException if {@code url}, {@code token} or {@code machine} was not given
   */
  public SeatClient connect() {
    return connect(SeatClock.ofSystem());
  }

  /** A test may be a computer that sleeps. */
  SeatClient connect(SeatClock clock) {
    return new SeatClient(options(clock), listeners);
  }

  private Options options(SeatClock clock) {
    return new Options(
        given("url", url),
        given("token", tokenSource),
        tokenTimeout.toMillis(),
        given("machine", machine),
        onConflict,
        Map.copyOf(program),
        Optional.ofNullable(idle),
        asks,
        Optional.ofNullable(ticketKeys),
        ticket,
        new Backoff(firstWait.toMillis(), longestWait.toMillis(), () -> ThreadLocalRandom.current().nextDouble()),
        connectTimeout.toMillis(),
        http == null ? HttpClient.newHttpClient() : http,
        callbacks == null ? SerialExecutor.ownThread() : callbacks,
        clock);
  }

  private static <T> T given(String name, T value) {
    if (value == null) throw new IllegalStateException(name + " is missing: call " + name + "() before connect()");
    return value;
  }

  private static Duration checked(String name, Duration time) {
    Objects.requireNonNull(time, name);
    if (time.compareTo(SHORTEST) < 0 || time.compareTo(LONGEST) > 0)
      throw new IllegalArgumentException(name + " is not between 1 ms and 24 days: " + time);
    return time;
  }
}
