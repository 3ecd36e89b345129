import io.soleseat.client.Machine;
import io.soleseat.client.SeatClient;
import io.soleseat.client.SeatClientBuilder;
import io.soleseat.client.SeatEvent;
import io.soleseat.client.SeatListener;
import io.soleseat.client.TicketKeys;
import io.soleseat.client.TokenNeed;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The program by which the kit judges this library:
 *
 * <pre>soleseat client-test -- java -cp soleseat-client.jar KitClient.java</pre>
 *
 * It prints `holds true` and `holds false` at each change, and each event. It reads the lines that docs/client-kit.md names.
 */
public class KitClient implements SeatListener {
  /** Each look reads a file of the system: several of these programs run side by side. */
  private static final long LOOK_EVERY_MS = 20;

  private final HttpClient http = HttpClient.newHttpClient();
  /** Each question whether it holds the seat is printed, with its time by the monotonic clock. */
  private final boolean tellsLooks = !environment("SEAT_LOOKS", "").isEmpty();
  private volatile SeatClient seat;
  private String told = "";
  private volatile String ticket = System.getenv("SEAT_TICKET");
  /** When the person was at work last. */
  private volatile long workedNanos = ago(environment("SEAT_IDLE", "0"));

  public static void main(String[] arguments) throws Exception {
    new KitClient().run();
  }

  /** What the kit says of the client. The tests of the library add to it. */
  protected SeatClientBuilder describe() throws Exception {
    String id = environment("SEAT_MACHINE_ID", "");
    SeatClientBuilder builder = SeatClient.builder();
    if (!environment("SEAT_IDLE", "").isEmpty()) builder.idle(() -> Duration.ofNanos(System.nanoTime() - workedNanos));
    builder.leaveTicket(() -> Optional.ofNullable(ticket));
    String keys = environment("SEAT_NONCE_KEYS", "");
    if (!keys.isEmpty()) builder.brokerKeys(TicketKeys.parse(keys));
    if (!environment("SEAT_ASKS", "").isEmpty()) builder.asks();
    return builder
        .url(environment("SEAT_URL", ""))
        .token(this::fetchToken)
        .machine(Machine.of(id).withName(environment("SEAT_MACHINE_NAME", id)))
        .program("soleseat-kit", "1.0")
        .listener(this);
  }

  protected SeatClient connect(SeatClientBuilder described) {
    return described.connect();
  }

  protected final void run() throws Exception {
    say("holds false");
    seat = connect(describe());
    Thread looker = new Thread(this::lookForEver);
    looker.setDaemon(true);
    looker.start();
    BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
    for (String line = commands.readLine(); line != null && obey(line.strip()); line = commands.readLine()) {}
    leave();
    System.exit(0);
  }

  /** After a release this changes nothing. */
  private void leave() throws Exception {
    seat.disconnect().get();
  }

  /** False once the program is to end. */
  protected boolean obey(String command) throws Exception {
    String[] words = command.split(" ");
    switch (words[0]) {
      case "takeover" -> seat.takeOver();
      case "retry" -> seat.retryNow();
      case "leave" -> leave(Duration.ofMillis(Long.parseLong(words[1])));
      case "ask" -> seat.ask();
      case "yield" -> seat.yieldAfter(Duration.ofMillis(Long.parseLong(words[1])));
      case "refuse" -> seat.answer(false);
      case "idle" -> workedNanos = ago(words[1]);
      case "active" -> {
        workedNanos = System.nanoTime();
        seat.activity();
      }
      case "release" -> {
        seat.release().get();
        look();
        return false;
      }
      case "quit" -> {
        return false;
      }
      default -> say("no such command: " + command);
    }
    return true;
  }

  /** The program ends once it has left. */
  private void leave(Duration time) {
    seat.leave(time)
        .whenComplete(
            (record, fault) -> {
              say(fault == null ? "left for " + record.granted() : "not left: " + fault);
              if (fault == null) System.exit(0);
            });
  }

  protected final SeatClient seat() {
    return seat;
  }

  private String fetchToken(TokenNeed need) throws IOException, InterruptedException {
    say("token " + need);
    HttpRequest request = HttpRequest.newBuilder(URI.create(environment("SEAT_TOKEN_URL", ""))).build();
    HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() != 200) throw new IOException("the token server answered " + answer.statusCode());
    return answer.body().strip();
  }

  @Override
  public void onEvent(SeatEvent event) {
    if (event instanceof SeatEvent.LeaveEnded) ticket = null;
    if (event instanceof SeatEvent.SeatFree && !environment("SEAT_TAKES_FREE", "").isEmpty()) seat.takeIfFree();
    look();
    say("event " + event);
  }

  private void lookForEver() {
    for (; ; ) {
      look();
      try {
        TimeUnit.MILLISECONDS.sleep(LOOK_EVERY_MS);
      } catch (InterruptedException ended) {
        return;
      }
    }
  }

  private synchronized void look() {
    if (seat == null) return;
    long beforeNs = System.nanoTime();
    boolean holds = seat.holdsLease();
    if (tellsLooks) say("look " + beforeNs + " " + System.nanoTime() + " " + holds);
    say("holds " + holds);
  }

  /** Lines that begin with `holds` are said only where they are news. */
  protected final synchronized void say(String line) {
    if (line.startsWith("holds ")) {
      if (line.equals(told)) return;
      told = line;
    }
    System.out.println(line);
    System.out.flush();
  }

  private static long ago(String ms) {
    return System.nanoTime() - TimeUnit.MILLISECONDS.toNanos(Long.parseLong(ms));
  }

  protected static String environment(String name, String otherwise) {
    String value = System.getenv(name);
    return value == null || value.isEmpty() ? otherwise : value;
  }
}
