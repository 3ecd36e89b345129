package io.soleseat.client;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Keeps at most one connection: fetches the token, dials, waits, dials again. Decides nothing. Belongs to the loop. */
final class Dialler {
  private static final int INSTANCE_BYTES = 16;

  interface Events {
    /** The session to ask for again, if there is one. */
    Optional<ServerMessage.Resume> resume();

    /** What else the program says in `hello`. */
    Map<String, Object> moreOfHello();

    /** `hello` is about to be sent on a new connection. */
    void helloGoesOut();

    /** There is no connection any more, for whatever reason. */
    void disconnected();

    void heard(ServerMessage message, Seen seen);

    /** The connection ended, or an attempt came to nothing. */
    void lost(Loss loss);

    void tokenUnavailable(String message);

    /** What answered is not the vendor's broker. */
    void untrusted(String message);
  }

  private final Loop loop;
  private final Options options;
  private final Events events;
  private final TokenFetcher fetcher;
  private final TokenRefresh refresh;
  private final Heartbeat heartbeat;
  /**
   * promise 15: by these two the broker knows a late `hello` of this client from a new one. One name a client, not one a
   * process: two clients in one process would end each other's sessions.
   */
  private final String instance = randomName(); // [instance-new] [instance-same]

  private long hellos = 0;
  private int failures = 0;
  private Connection connection = null;
  private ConflictPolicy policy = null;
  /** What the next token is for. An attempt that comes to nothing changes nothing about it. */
  private TokenNeed need = TokenNeed.CONNECT;
  private TokenFetcher.Question question = null;
  private Loop.Timer redialTimer = Loop.Timer.NONE;

  Dialler(Loop loop, Options options, Events events) {
    this.loop = loop;
    this.options = options;
    this.events = events;
    fetcher = new TokenFetcher(loop, options.tokenSource(), options.tokenTimeoutMs());
    refresh = new TokenRefresh(loop, fetcher, options.backoff(), this::sendRefresh, events::tokenUnavailable);
    heartbeat =
        new Heartbeat(
            loop,
            () -> giveUp(LossCause.of(LossCause.Kind.SILENCE, "Nothing was heard from the broker for too long.")));
  }

  /** The open connection, or the one that is dialled; null where there is none. */
  Connection connection() {
    return connection;
  }

  /** The policy of the attempt under way; null once it is answered. */
  ConflictPolicy dialling() {
    return policy;
  }

  /** Dials at once, in place of whatever was under way. */
  void dial(ConflictPolicy onConflict) {
    stop(CloseCodes.LEFT, "superseded here");
    policy = onConflict;
    question =
        fetcher.ask(
            need,
            token -> {
              question = null;
              connect(onConflict, token);
            },
            this::noToken);
  }

  /** Dials by itself after that time. Never displaces a holder. */
  void redial(long inMs) {
    redialTimer.cancel();
    redialTimer = loop.after(inMs, () -> dial(ConflictPolicy.DENY)); // [reconnect-deny]
  }

  /** The wait that a loss asks for, in milliseconds. Counts the loss. */
  long waitAfterMs(Loss loss) {
    if (loss.tokenNeed() != null) need = loss.tokenNeed();
    return options.backoff().beforeReconnectMs(failures++, loss.seen().drainWithinMs, loss.retryAfterMs());
  }

  /** The open connection counts as lost. */
  void giveUp(LossCause cause) {
    if (connection != null) connection.giveUp(cause);
  }

  /** The broker answered the attempt. */
  void answered() {
    policy = null;
    need = TokenNeed.CONNECT;
    if (connection != null) connection.answered();
  }

  /** A renewal came: only now is the next loss a first one. A welcome alone may be one of a crash loop. */
  void steady() {
    failures = 0;
  }

  /** False where no connection is open. */
  boolean send(String type) {
    return send(Map.of("type", type));
  }

  boolean send(Map<String, Object> message) {
    return connection != null && connection.send(message);
  }

  void refreshToken() {
    refresh.begin();
  }

  /** The broker does not accept the new token yet: another one may do, after this time. */
  void refreshAgain(long inMs) {
    refresh.again(inMs);
  }

  /** Ends the connection, the attempt and the waits, and ignores what still comes of them. */
  CompletableFuture<Void> stop(int code, String reason) {
    policy = null;
    redialTimer.cancel();
    if (question != null) question.cancel();
    question = null;
    refresh.stop();
    heartbeat.stop();
    Connection dropped = connection;
    connection = null;
    CompletableFuture<Void> written =
        dropped == null ? CompletableFuture.completedFuture(null) : dropped.drop(code, reason);
    events.disconnected();
    return written;
  }

  private void connect(ConflictPolicy onConflict, String token) {
    connection = new Connection(loop, options, new ConnectionEvents(onConflict, token));
    connection.dial();
  }

  private void noToken(String message) {
    question = null;
    events.tokenUnavailable(message);
    LossCause cause = LossCause.of(LossCause.Kind.TOKEN, "There is no token: " + message);
    lost(new Loss(CloseCodes.NO_CLOSE_FRAME, "", cause, new Seen())); // [token-failure]
  }

  private void lost(Loss loss) {
    connection = null;
    policy = null;
    refresh.stop();
    heartbeat.stop();
    events.disconnected();
    events.lost(loss);
  }

  private void sendRefresh(String token) {
    send(Map.of("type", "refresh", "token", token));
  }

  private static String randomName() {
    byte[] bytes = new byte[INSTANCE_BYTES];
    new SecureRandom().nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  private final class ConnectionEvents implements Connection.Events {
    private final ConflictPolicy onConflict;
    private final String token;
    private final Optional<BrokerProof> proof = options.ticketKeys().map(BrokerProof::new);

    ConnectionEvents(ConflictPolicy onConflict, String token) {
      this.onConflict = onConflict;
      this.token = token;
    }

    @Override
    public Map<String, Object> hello() {
      Map<String, Object> hello = new LinkedHashMap<>();
      hello.put("type", "hello");
      hello.put("machine", options.machineFields());
      hello.put("instance", instance); // [hello-instance]
      hello.put("attempt", ++hellos); // [attempt-grows]
      hello.put("onConflict", onConflict.wireName());
      events
          .resume() // [resume-latest]
          .ifPresent(one -> hello.put("resume", Map.of("sessionId", one.sessionId(), "epoch", one.epoch())));
      if (!options.program().isEmpty()) hello.put("client", options.program());
      proof.ifPresent(one -> hello.put("nonce", one.nonce())); // [nonce-fresh]
      hello.putAll(events.moreOfHello());
      hello.put("token", token);
      events.helloGoesOut();
      return hello;
    }

    @Override
    public void heard(ServerMessage message) {
      if (proof.isPresent() && !proof.get().allows(message)) return;
      if (proof.isPresent() && message instanceof ServerMessage.Welcome welcome) {
        Optional<String> fault = proof.get().faultOf(welcome);
        if (fault.isPresent()) {
          events.untrusted(fault.get());
          return;
        }
      }
      heartbeat.heard(message);
      events.heard(message, connection.seen);
    }

    @Override
    public void pinged() {
      heartbeat.pinged();
    }

    @Override
    public void ended(Loss loss) {
      lost(loss);
    }
  }
}
