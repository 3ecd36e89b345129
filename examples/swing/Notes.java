import io.soleseat.client.Machine;
import io.soleseat.client.MachineId;
import io.soleseat.client.SeatClient;
import io.soleseat.client.SeatEvent;
import io.soleseat.client.SeatListener;
import io.soleseat.client.SeatState;
import io.soleseat.client.TokenNeed;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Optional;
import javax.swing.SwingUtilities;

/**
 * An editor for notes that only works where its user has the seat:
 *
 * <pre>
 * javac -cp soleseat-client.jar -d notes Notes.java NotesWindow.java
 * SEAT_TOKEN=… java -cp soleseat-client.jar:notes Notes ws://127.0.0.1:8080
 * </pre>
 *
 * The token comes from the address SEAT_TOKEN_URL, as it would from your own server, or is given in SEAT_TOKEN. SEAT_MACHINE_ID and
 * SEAT_MACHINE_NAME make this computer look like another one, and NOTES_FILE says where the text is kept. {@link NotesWindow} is how it looks.
 */
public final class Notes implements SeatListener {
  private static final String APPLICATION = "com.example.notes";
  private static final String WHOM_TO_ASK = "Ask your license desk: licenses@example.com";
  private static final DateTimeFormatter TODAY = DateTimeFormatter.ofPattern("HH:mm").withZone(ZoneId.systemDefault());
  private static final DateTimeFormatter EARLIER = DateTimeFormatter.ofPattern("d MMMM, HH:mm").withZone(ZoneId.systemDefault());

  private final Path file;
  private final NotesWindow window;
  private final HttpClient http = HttpClient.newHttpClient();
  private SeatClient seat;
  private String savedText;
  private String saveFault = "";
  /** What the cover shows as long as the seat is elsewhere. */
  private NotesWindow.Cover cover = new NotesWindow.Cover("One moment …", "Notes asks for your seat.", null, null);
  /** The machine that had the seat last, as far as this program was told. */
  private String otherMachine = "another machine";

  public static void main(String[] arguments) throws Exception {
    System.setProperty("awt.useSystemAAFontSettings", "on");
    String url = arguments.length > 0 ? arguments[0] : environment("SEAT_URL").orElse("ws://127.0.0.1:8080");
    // Not on Swing's thread: on some systems it runs a command.
    Machine machine = thisMachine();
    String name = machine.name().orElse("this computer");
    Path file = Path.of(environment("NOTES_FILE").orElse("notes-" + name + ".txt"));
    // Where the file cannot be read the program ends here, before it could write over it.
    String text = Files.exists(file) ? Files.readString(file) : "";
    SwingUtilities.invokeLater(() -> new Notes(file, text, name).start(url, machine));
  }

  private Notes(Path file, String text, String machineName) {
    this.file = file;
    savedText = text;
    window = new NotesWindow(machineName, text, this::save, this::leave);
  }

  private void start(String url, Machine machine) {
    window.lock(cover);
    window.open();
    seat =
        SeatClient.builder()
            .url(url)
            .token(this::fetchToken)
            .machine(machine)
            .program("Notes", "1.0")
            .callbackExecutor(SwingUtilities::invokeLater)
            .listener(this)
            .connect();
  }

  // What happens to the seat. Each event comes on Swing's thread.

  /** One question decides between locked and unlocked, after every event. */
  @Override
  public void onEvent(SeatEvent event) {
    SwingUtilities.invokeLater(this::look);
  }

  private void look() {
    if (seat.holdsLease()) {
      window.unlock();
    } else {
      // First the work, then the cover.
      save();
      window.lock(cover);
    }
    window.showSign(sign());
  }

  /** The small sign beside the title. */
  private String sign() {
    if (!saveFault.isEmpty() || !seat.holdsLease()) return saveFault;
    return switch (seat.state()) {
      case RECONNECTING -> "Reconnecting …";
      case JEOPARDY -> "The license server has trouble. You can go on.";
      default -> "";
    };
  }

  @Override
  public void onStateChanged(SeatEvent.StateChanged event) {
    if (event.state() == SeatState.CONNECTING) cover = new NotesWindow.Cover("One moment …", "Notes asks for your seat.", null, null);
  }

  @Override
  public void onEvicted(SeatEvent.Evicted event) {
    otherMachine = event.byName().orElse(otherMachine);
    cover =
        switch (event.reason()) {
          case "taken_over" -> useHere("You now use Notes on " + otherMachine, event.at());
          case "evicted_by_admin" -> tryAgain("Your administrator ended the session", "Your text is saved.");
          default -> tryAgain("Notes is locked", event.message() + " Your text is saved.\n" + WHOM_TO_ASK);
        };
  }

  @Override
  public void onConflict(SeatEvent.Conflict event) {
    otherMachine = event.holderName().orElse(otherMachine);
    cover =
        event.sameMachine()
            ? useHere("Notes is open in another window", event.since())
            : useHere("You use Notes on " + otherMachine, event.since());
  }

  @Override
  public void onDenied(SeatEvent.Denied event) {
    cover =
        switch (event.reason()) {
          case "flapping" -> useHere("Somebody else uses your license", Optional.empty(), "Is it you, on " + otherMachine + "?");
          case "unauthorized" -> tryAgain("Please sign in again", event.message());
          default -> tryAgain("You have no license for Notes", event.message() + "\n" + WHOM_TO_ASK);
        };
  }

  @Override
  public void onReconnecting(SeatEvent.Reconnecting event) {
    // It is seen only once the lease is over.
    cover = tryAgain("No connection to the license server", event.cause().message() + " Your text is saved.");
  }

  @Override
  public void onLeaseExpired(SeatEvent.LeaseExpired event) {
    // The connection is well, but the broker cannot reach its Redis. There is nothing that the person could do.
    if (seat.state() == SeatState.JEOPARDY)
      cover = new NotesWindow.Cover("The license server has trouble", "Notes goes on by itself. Your text is saved.", null, null);
  }

  // What the person can do.

  private NotesWindow.Cover useHere(String title, Optional<Instant> since) {
    return useHere(title, since, "Your text is saved.");
  }

  private NotesWindow.Cover useHere(String title, Optional<Instant> since, String text) {
    String told = since.map(at -> "Since " + clock(at) + ". ").orElse("");
    // A person clicks: that alone may take the seat from another machine.
    return new NotesWindow.Cover(title, told + text, "Use here", () -> seat.takeOver());
  }

  private NotesWindow.Cover tryAgain(String title, String text) {
    return new NotesWindow.Cover(title, text, "Try again", () -> seat.retryNow());
  }

  private static String clock(Instant at) {
    boolean isToday = at.isAfter(LocalDate.now().atStartOfDay(ZoneId.systemDefault()).toInstant());
    return (isToday ? TODAY : EARLIER).format(at);
  }

  private void save() {
    String text = window.text();
    if (text.equals(savedText)) return;
    try {
      // A file that is half written never takes the place of the last whole one.
      Path unfinished = file.resolveSibling(file.getFileName() + ".new");
      Files.writeString(unfinished, text);
      Files.move(unfinished, file, StandardCopyOption.REPLACE_EXISTING);
      savedText = text;
      saveFault = "";
    } catch (IOException fault) {
      saveFault = "Not saved: " + fault.getMessage();
      window.showSign(saveFault);
    }
  }

  private void leave() {
    save();
    // The other machine can have the seat at once. It takes 2 s at most.
    seat.release().thenRun(() -> SwingUtilities.invokeLater(window::close));
  }

  // Where the token and the machine come from.

  /** Runs on a thread of the library, and may take its time. */
  private String fetchToken(TokenNeed need) throws IOException, InterruptedException {
    Optional<String> address = environment("SEAT_TOKEN_URL");
    if (address.isEmpty()) return environment("SEAT_TOKEN").orElseThrow(() -> new IOException("SEAT_TOKEN is not set"));
    HttpRequest request = HttpRequest.newBuilder(URI.create(address.get())).build();
    HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() != 200) throw new IOException("the token server answered " + answer.statusCode());
    return answer.body().strip();
  }

  private static Machine thisMachine() throws IOException {
    Optional<String> id = environment("SEAT_MACHINE_ID");
    if (id.isEmpty()) return MachineId.of(APPLICATION);
    return Machine.of(id.get()).withName(environment("SEAT_MACHINE_NAME").orElse(id.get()));
  }

  private static Optional<String> environment(String name) {
    return Optional.ofNullable(System.getenv(name)).filter(value -> !value.isEmpty());
  }
}
