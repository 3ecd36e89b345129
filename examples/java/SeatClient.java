import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * A soleseat client for Java 17, with the JDK's own WebSocket and no dependency:
 *
 * <pre>java SeatClient.java ws://127.0.0.1:8080/v1/connect TOKEN MACHINE_ID [MACHINE_NAME]</pre>
 *
 * It takes the user's seat, resumes it when its connection breaks, and prints every message and, at each change, a line
 * `holds true` or `holds false`. Lines on stdin: `takeover`, `release`. Exit status: 0 released, 3 refused or evicted for
 * good. Everything but the callbacks of the WebSocket runs on one thread, `loop`.
 */
public final class SeatClient {
  private static final long FIRST_WAIT_MS = 500;
  private static final long LONGEST_WAIT_MS = 30_000;
  private static final long LOOK_EVERY_MS = 100;
  private static final int NO_CLOSE_FRAME = 1006;

  private final ScheduledExecutorService loop = Executors.newSingleThreadScheduledExecutor();
  private final HttpClient http = HttpClient.newHttpClient();
  private final Lease lease = new Lease();
  private final URI url;
  private final String token;
  private final Map<String, Object> machine;
  private final String instance = UUID.randomUUID().toString();

  private long attempt = 0;
  private int failures = 0;
  private Map<String, Object> resume = null;
  private Connection connection = null;
  private ScheduledFuture<?> redial = null;
  private boolean waitsInConflict = false;
  private boolean isReleasing = false;
  private boolean toldHolds = false;

  public static void main(String[] arguments) throws Exception {
    if (arguments.length < 3) {
      System.err.println("usage: java SeatClient.java URL TOKEN MACHINE_ID [MACHINE_NAME]");
      System.exit(2);
    }
    SeatClient client = new SeatClient(arguments);
    client.loop.execute(() -> client.dial("takeover"));
    client.loop.scheduleAtFixedRate(client::look, LOOK_EVERY_MS, LOOK_EVERY_MS, TimeUnit.MILLISECONDS);
    BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
    for (String line = commands.readLine(); line != null; line = commands.readLine()) {
      String command = line.strip();
      client.loop.execute(() -> client.obey(command));
    }
  }

  private SeatClient(String[] arguments) {
    url = URI.create(arguments[0]);
    token = arguments[1];
    machine = Map.of("id", arguments[2], "name", arguments[arguments.length > 3 ? 3 : 2]);
  }

  private void obey(String command) {
    if (command.equals("release")) release();
    if (command.equals("takeover")) takeOver();
  }

  /** A person chose "use here". Only this displaces a holder. */
  private void takeOver() {
    if (!waitsInConflict) {
      dial("takeover");
      return;
    }
    lease.asked();
    connection.send(Map.of("type", "takeover"));
  }

  private void release() {
    isReleasing = true;
    lease.clear();
    look();
    // Without a connection there is nobody to tell: the seat ends with its TTL.
    if (connection == null || !connection.isOpen()) finish(0);
    else connection.send(Map.of("type", "release"));
  }

  /** Opens a connection in place of whatever there was. */
  private void dial(String onConflict) {
    if (redial != null) redial.cancel(false);
    if (connection != null) connection.drop();
    waitsInConflict = false;
    lease.disconnected();
    Connection dialled = new Connection(onConflict);
    connection = dialled;
    http.newWebSocketBuilder()
        .subprotocols("soleseat.v1")
        .connectTimeout(Duration.ofSeconds(10))
        .buildAsync(url, dialled)
        .whenComplete(
            (socket, fault) -> {
              if (fault != null) loop.execute(() -> lost(dialled, NO_CLOSE_FRAME, ""));
            });
  }

  private void opened(Connection opened) {
    if (opened != connection) {
      opened.drop();
      return;
    }
    Map<String, Object> hello = new LinkedHashMap<>();
    hello.put("type", "hello");
    hello.put("machine", machine);
    hello.put("instance", instance);
    hello.put("attempt", ++attempt);
    hello.put("onConflict", opened.onConflict);
    if (resume != null) hello.put("resume", resume);
    hello.put("token", token);
    lease.connected();
    opened.send(hello);
  }

  private void heard(Connection from, String text) {
    if (from != connection) return;
    System.out.println(text);
    Map<String, Object> message = Json.object(text);
    String type = String.valueOf(message.get("type"));
    lease.heard(type, message, !isReleasing);
    switch (type) {
      case "welcome" -> {
        waitsInConflict = false;
        resume = Map.of("sessionId", message.get("sessionId"), "epoch", message.get("epoch"));
      }
      case "lease" -> {
        if (resume != null) resume = Map.of("sessionId", resume.get("sessionId"), "epoch", message.get("epoch"));
        // A welcome alone may be one of a crash loop.
        if (!lease.isUseless()) failures = 0;
      }
      case "conflict" -> {
        waitsInConflict = true;
        resume = null;
        lease.clear();
      }
      case "evicted" -> lease.clear();
      case "draining" -> from.spreadMs = Json.number(message, "reconnectWithinMs", from.spreadMs);
      case "error" -> from.leastWaitMs = Json.number(message, "retryAfterMs", 0);
      default -> {} // A later version may say more.
    }
    look();
  }

  /** Every tenth of a second, and after each message: whether the seat is held, and whether the connection is of use. */
  private void look() {
    boolean holds = lease.holds();
    if (holds != toldHolds) System.out.println("holds " + holds);
    toldHolds = holds;
    if (connection == null || !connection.isOpen() || !lease.isUseless()) return;
    connection.drop();
    lost(connection, NO_CLOSE_FRAME, "");
  }

  private void lost(Connection lost, int code, String reason) {
    if (lost != connection) return;
    connection = null;
    waitsInConflict = false;
    lease.disconnected();
    boolean isReleased = code == WebSocket.NORMAL_CLOSURE && (reason.equals("released") || reason.equals("left"));
    if (isReleasing || isReleased) finish(0);
    if (code >= 4500 && code < 5000) finish(3);
    long widestMs = Math.min(LONGEST_WAIT_MS, lost.spreadMs >= 0 ? lost.spreadMs : FIRST_WAIT_MS << Math.min(failures, 10));
    failures++;
    long waitMs = lost.leastWaitMs + ThreadLocalRandom.current().nextLong(widestMs + 1);
    System.out.println("reconnecting after " + code + " in " + waitMs + " ms");
    // A reconnect never steals.
    redial = loop.schedule(() -> dial("deny"), waitMs, TimeUnit.MILLISECONDS);
  }

  private void finish(int status) {
    lease.clear();
    if (toldHolds) System.out.println("holds false");
    System.exit(status);
  }

  /** One WebSocket. The JDK answers pings by itself. */
  private final class Connection implements WebSocket.Listener {
    final String onConflict;
    long spreadMs = -1;
    long leastWaitMs = 0;
    private final StringBuilder parts = new StringBuilder();
    private volatile WebSocket socket = null;
    private CompletableFuture<WebSocket> sent = CompletableFuture.completedFuture(null);

    Connection(String onConflict) {
      this.onConflict = onConflict;
    }

    boolean isOpen() {
      return socket != null;
    }

    /** The JDK refuses a message while the one before is on its way. */
    void send(Map<String, Object> message) {
      String text = Json.text(message);
      sent = sent.thenCompose(before -> socket.sendText(text, true));
    }

    /** Without a close frame: 1000 would give the seat back. */
    void drop() {
      if (socket != null) socket.abort();
    }

    @Override
    public void onOpen(WebSocket opened) {
      socket = opened;
      loop.execute(() -> opened(this));
      opened.request(1);
    }

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean isLast) {
      parts.append(part);
      if (isLast) {
        String text = parts.toString();
        parts.setLength(0);
        loop.execute(() -> heard(this, text));
      }
      from.request(1);
      return null;
    }

    @Override
    public CompletionStage<?> onClose(WebSocket from, int code, String reason) {
      loop.execute(() -> lost(this, code, reason));
      return null;
    }

    @Override
    public void onError(WebSocket from, Throwable fault) {
      loop.execute(() -> lost(this, NO_CLOSE_FRAME, ""));
    }
  }

  /**
   * PROTOCOL.md, "The age of a lease". All times in ms. `System.nanoTime` stands still in sleep on Linux and macOS, so it
   * is compared with the wall clock at each look: a jump of 2 s shows that the machine slept, or that its clock was set.
   */
  private static final class Lease {
    private static final long SLEPT_MS = 2_000;
    private static final long ANSWER_MS = 10_000;

    private long lookedMs = System.nanoTime() / 1_000_000;
    private long lookedWallMs = System.currentTimeMillis();
    /** Outlives a connection. */
    private long untilMs = lookedMs;

    private long askedMs;
    private long baseMs;
    private long usefulMs = Long.MAX_VALUE;
    private boolean isAsking = false;
    private boolean isDoubted = false;

    boolean holds() {
      return now() < untilMs;
    }

    /** Whether the session has to be resumed on another connection. */
    boolean isUseless() {
      long nowMs = now();
      return isDoubted || nowMs >= usefulMs;
    }

    /** `hello` goes out on a new connection, which has a base of its own. */
    void connected() {
      asked();
      baseMs = askedMs;
      usefulMs = askedMs + ANSWER_MS;
    }

    /** `hello` or `takeover` goes out. */
    void asked() {
      askedMs = now();
      isAsking = true;
      isDoubted = false;
    }

    void disconnected() {
      usefulMs = Long.MAX_VALUE;
      isAsking = false;
      isDoubted = false;
    }

    /** The seat is gone, or given back. The connection waits for a person, or for its close. */
    void clear() {
      untilMs = now();
      usefulMs = Long.MAX_VALUE;
      isDoubted = false;
    }

    void heard(String type, Map<String, Object> message, boolean counts) {
      long nowMs = now();
      long elapsedMs = Json.number(message, "elapsedMs", -1);
      // A broker from before the age of leases sends none: what it says counts from receipt.
      long sentMs = elapsedMs < 0 ? nowMs : dated(type, elapsedMs, nowMs);
      boolean isGrant = type.equals("welcome") || type.equals("lease");
      if (isGrant && counts) {
        long ttlMs = Json.number(message, "ttlMs", 0);
        // The newest decides, also when it is less.
        if (!isDoubted) usefulMs = untilMs = sentMs + ttlMs;
        if (nowMs - sentMs > ttlMs / 3) isDoubted = true;
      }
      // The node tries on for that long.
      if (type.equals("jeopardy")) usefulMs = Math.max(untilMs, sentMs + Json.number(message, "graceMs", 0));
    }

    private long dated(String type, long elapsedMs, long nowMs) {
      boolean isAnswer = isAsking && (type.equals("welcome") || type.equals("conflict"));
      if (isAnswer) isAsking = false;
      baseMs = isAnswer ? askedMs - elapsedMs : Math.min(baseMs, nowMs - elapsedMs);
      return baseMs + elapsedMs;
    }

    private long now() {
      long nowMs = System.nanoTime() / 1_000_000;
      long wallMs = System.currentTimeMillis();
      if (wallMs - lookedWallMs - (nowMs - lookedMs) > SLEPT_MS) {
        untilMs = Math.min(untilMs, nowMs);
        if (usefulMs != Long.MAX_VALUE) isDoubted = true;
      }
      lookedMs = nowMs;
      lookedWallMs = wallMs;
      return nowMs;
    }
  }

  /** As much JSON as the protocol needs. Whole numbers are `Long`: an epoch has 16 digits. */
  private static final class Json {
    private final String text;
    private int at = 0;

    private Json(String text) {
      this.text = text;
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> object(String text) {
      return new Json(text).value() instanceof Map<?, ?> map ? (Map<String, Object>) map : Map.of();
    }

    /** `null` is "left out". */
    static long number(Map<String, Object> object, String name, long otherwise) {
      return object.get(name) instanceof Number number ? number.longValue() : otherwise;
    }

    static String text(Object value) {
      if (value instanceof Map<?, ?> map) {
        List<String> fields = new ArrayList<>();
        map.forEach((name, inner) -> fields.add(text(name) + ":" + text(inner)));
        return "{" + String.join(",", fields) + "}";
      }
      if (!(value instanceof String string)) return String.valueOf(value);
      StringBuilder quoted = new StringBuilder("\"");
      for (char c : string.toCharArray()) {
        if (c == '"' || c == '\\') quoted.append('\\').append(c);
        else if (c < ' ') quoted.append(String.format("\\u%04x", (int) c));
        else quoted.append(c);
      }
      return quoted.append('"').toString();
    }

    private Object value() {
      return switch (peek()) {
        case '{' -> map();
        case '[' -> list();
        case '"' -> string();
        case 't' -> word("true", true);
        case 'f' -> word("false", false);
        case 'n' -> word("null", null);
        default -> number();
      };
    }

    private Map<String, Object> map() {
      Map<String, Object> map = new LinkedHashMap<>();
      at++;
      while (peek() != '}') {
        String name = string();
        expect(':');
        map.put(name, value());
        if (peek() == ',') at++;
      }
      at++;
      return map;
    }

    private List<Object> list() {
      List<Object> list = new ArrayList<>();
      at++;
      while (peek() != ']') {
        list.add(value());
        if (peek() == ',') at++;
      }
      at++;
      return list;
    }

    private String string() {
      StringBuilder string = new StringBuilder();
      expect('"');
      while (text.charAt(at) != '"') {
        char c = text.charAt(at++);
        string.append(c == '\\' ? escaped() : c);
      }
      at++;
      return string.toString();
    }

    private char escaped() {
      char c = text.charAt(at++);
      if (c == 'u') return (char) Integer.parseInt(text.substring(at, at += 4), 16);
      int index = "nrtbf".indexOf(c);
      return index < 0 ? c : "\n\r\t\b\f".charAt(index);
    }

    private Number number() {
      int from = at;
      while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) at++;
      String digits = text.substring(from, at);
      if (digits.matches("-?\\d{1,18}")) return Long.valueOf(digits);
      return Double.valueOf(digits);
    }

    private Object word(String word, Object meaning) {
      if (!text.startsWith(word, at)) throw new IllegalArgumentException("not JSON at " + at);
      at += word.length();
      return meaning;
    }

    private void expect(char c) {
      if (peek() != c) throw new IllegalArgumentException("not JSON at " + at);
      at++;
    }

    private char peek() {
      while (at < text.length() && Character.isWhitespace(text.charAt(at))) at++;
      if (at >= text.length()) throw new IllegalArgumentException("the JSON ends too early");
      return text.charAt(at);
    }
  }
}
