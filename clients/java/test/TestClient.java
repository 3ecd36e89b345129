import io.soleseat.client.SeatClient;
import io.soleseat.client.SeatClientBuilder;
import io.soleseat.client.SeatEvent;
import io.soleseat.client.SeatListener;
import io.soleseat.client.SleepingClock;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** The kit's program with options of the library that the kit does not know, each by a variable of the environment. */
public final class TestClient extends KitClient {
  private final ExecutorService pool = Executors.newFixedThreadPool(4, task -> daemon(task, "callback-of-the-program"));
  private final SleepingClock clock = new SleepingClock();

  public static void main(String[] arguments) throws Exception {
    new TestClient().run();
  }

  @Override
  protected SeatClientBuilder describe() throws Exception {
    SeatClientBuilder builder = super.describe();
    Duration wait = Duration.parse(environment("TEST_WAIT", "PT0.1S"));
    builder.backoff(wait, wait.multipliedBy(10));
    builder.tokenTimeout(Duration.parse(environment("TEST_TOKEN_TIMEOUT", "PT15S")));
    if (!environment("TEST_THROWS", "").isEmpty()) builder.listener(new Thrower()).listener(new Later());
    if (!environment("TEST_POOL", "").isEmpty()) builder.callbackExecutor(pool);
    HttpClient.Builder http = HttpClient.newBuilder();
    String authority = environment("TEST_AUTHORITY", "");
    if (!authority.isEmpty()) http.sslContext(trusting(Path.of(authority)));
    String proxyPort = environment("TEST_PROXY_PORT", "");
    if (!proxyPort.isEmpty())
      http.proxy(ProxySelector.of(new InetSocketAddress("127.0.0.1", Integer.parseInt(proxyPort))));
    return builder.httpClient(http.build());
  }

  @Override
  protected SeatClient connect(SeatClientBuilder described) {
    return environment("TEST_SLEEPS", "").isEmpty() ? described.connect() : clock.connect(described);
  }

  @Override
  protected boolean obey(String command) throws Exception {
    if (command.equals("sleep")) clock.sleepAnHour();
    if (!command.equals("close")) return super.obey(command);
    long beganNanos = System.nanoTime();
    seat().close();
    say("closed after " + (System.nanoTime() - beganNanos) / 1_000_000);
    return true;
  }

  @Override
  public void onEvent(SeatEvent event) {
    super.onEvent(event);
    say("thread " + Thread.currentThread().getName());
  }

  /** As README.md says it for a private CA. */
  private static SSLContext trusting(Path pem) throws Exception {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    try (InputStream in = Files.newInputStream(pem)) {
      store.setCertificateEntry("authority", CertificateFactory.getInstance("X.509").generateCertificate(in));
    }
    TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(store);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    return context;
  }

  private static Thread daemon(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }

  /** Hears each event after the one that throws. */
  private final class Later implements SeatListener {
    @Override
    public void onEvent(SeatEvent event) {
      say("later " + event);
    }
  }

  private static final class Thrower implements SeatListener {
    @Override
    public void onEvent(SeatEvent event) {
      throw new IllegalStateException("a listener that throws");
    }

    @Override
    public void onWelcome(SeatEvent.Welcome event) {
      throw new AssertionError("a listener that throws an error");
    }
  }
}
