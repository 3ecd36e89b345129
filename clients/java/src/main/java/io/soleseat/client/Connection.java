package io.soleseat.client;

import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * One WebSocket, from dialling to its end. `hello` is sent as soon as it opens. Everything but the callbacks of the JDK
 * belongs to the loop.
 *
 * <p>The token travels in `hello` and not in the handshake: a close code and its reason tell "fetch another token" from "try
 * again later" in every language.
 */
final class Connection {
  /** A peer that does not answer the close is cut off. */
  private static final double CLOSE_MS = 2_000;

  interface Events {
    /** `hello` is about to be sent: everything it is answered with came later. */
    Map<String, Object> hello();

    void heard(ServerMessage message);

    void pinged();

    void ended(Loss loss);
  }

  final Seen seen = new Seen();
  private final Loop loop;
  private final Options options;
  private final Events events;
  private WebSocket socket = null;
  private boolean isOver = false;
  private Loop.Timer answerTimer = Loop.Timer.NONE;
  /** The JDK refuses a message while the one before is on its way. */
  private CompletableFuture<?> sent = CompletableFuture.completedFuture(null);

  Connection(Loop loop, Options options, Events events) {
    this.loop = loop;
    this.options = options;
    this.events = events;
  }

  void dial() {
    expectAnswer();
    // The proxy selector of a system may search for its proxy, and so block.
    CompletableFuture.supplyAsync(this::open, task -> Loop.daemons("soleseat-dial").newThread(task).start())
        .thenCompose(opening -> opening)
        .whenComplete(
            (opened, fault) -> {
              if (fault != null) loop.execute(() -> end(CloseCodes.NO_CLOSE_FRAME, "", Causes.of(fault)));
            });
  }

  private CompletableFuture<WebSocket> open() {
    return options
        .http()
        .newWebSocketBuilder()
        .subprotocols(Options.SUBPROTOCOL) // [offer-subprotocol]
        .connectTimeout(Duration.ofMillis(options.connectTimeoutMs()))
        .buildAsync(options.url(), new Listener());
  }

  /** Within the connect timeout a `welcome` or `conflict` is due. */
  void expectAnswer() {
    answerTimer.cancel();
    answerTimer =
        loop.after(
            options.connectTimeoutMs(), // [answer-timeout]
            () -> giveUp(LossCause.of(LossCause.Kind.TIMEOUT, "The broker did not answer in time.")));
  }

  /** The question is answered, with whatever. */
  void answered() {
    answerTimer.cancel();
  }

  /** False where the socket is not open: the message is then lost. */
  boolean send(Map<String, Object> message) {
    if (isOver || socket == null) return false;
    WebSocket open = socket;
    String text = JsonWriter.write(message);
    // A message that cannot be sent is followed by the end of the connection, which tells all there is.
    sent = sent.handle((before, fault) -> null).thenCompose(before -> open.sendText(text, true));
    return true;
  }

  /** Closes, and from now on ignores all that still comes. The future is done when the close is written, or after 2 s. */
  CompletableFuture<Void> drop(int code, String reason) {
    isOver = true;
    answerTimer.cancel();
    CompletableFuture<Void> written = new CompletableFuture<>();
    if (socket == null) {
      written.complete(null);
      return written;
    }
    WebSocket open = socket;
    sent.handle((before, fault) -> null)
        .thenCompose(before -> open.sendClose(code, reason))
        .whenComplete((closed, fault) -> written.complete(null));
    loop.after(
        CLOSE_MS,
        () -> {
          written.complete(null);
          open.abort();
        });
    return written;
  }

  /** Lost, for all that this end can see. Does not wait for the peer to agree: a silent one takes long. */
  void giveUp(LossCause cause) {
    if (isOver) return;
    drop(CloseCodes.LEFT, "no answer"); // [no-wait-for-close]
    events.ended(new Loss(CloseCodes.NO_CLOSE_FRAME, "", cause, seen));
  }

  private void opened(WebSocket opened) {
    if (isOver) {
      opened.abort();
      return;
    }
    socket = opened;
    send(events.hello()); // [hello-first]
    opened.request(1);
  }

  private void received(String text) {
    if (!isOver) ServerMessageReader.read(text).ifPresent(events::heard);
  }

  private void end(int code, String reason, LossCause cause) {
    if (isOver) return;
    isOver = true;
    answerTimer.cancel();
    if (socket != null) {
      // The JDK answers a close by itself. The peer ends the connection then, or is cut off.
      WebSocket open = socket;
      loop.after(CLOSE_MS, open::abort);
    }
    events.ended(new Loss(code, reason, cause, seen));
  }

  private static LossCause closed(int code, String reason) {
    if (code == CloseCodes.NO_CLOSE_FRAME) return LossCause.of(LossCause.Kind.NETWORK, "The connection broke.");
    String what = reason.isEmpty() ? code + "" : code + " " + reason;
    return LossCause.of(
        LossCause.Kind.CLOSE, "The broker closed the connection (" + what + "). " + CloseCodes.sentence(code, reason));
  }

  /** The callbacks of the JDK: one at a time, each by a demand of one. The demand is made when the loop has read. */
  private final class Listener implements WebSocket.Listener {
    private final MessageJoiner joiner = new MessageJoiner();

    @Override
    public void onOpen(WebSocket opened) {
      loop.execute(() -> opened(opened));
    }

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean isLast) {
      joiner
          .add(part, isLast)
          .ifPresentOrElse(
              text ->
                  loop.execute(
                      () -> {
                        try {
                          received(text);
                        } finally {
                          from.request(1);
                        }
                      }),
              () -> from.request(1));
      return null;
    }

    @Override
    public CompletionStage<?> onBinary(WebSocket from, ByteBuffer part, boolean isLast) {
      from.request(1);
      return null;
    }

    /** The JDK has answered it already, and answers the next one once it is asked for. */
    @Override
    public CompletionStage<?> onPing(WebSocket from, ByteBuffer payload) {
      loop.execute(
          () -> {
            if (!isOver) events.pinged();
            from.request(1); // [pong]
          });
      return null;
    }

    @Override
    public CompletionStage<?> onPong(WebSocket from, ByteBuffer payload) {
      from.request(1);
      return null;
    }

    @Override
    public CompletionStage<?> onClose(WebSocket from, int code, String reason) {
      loop.execute(() -> end(code, reason, closed(code, reason)));
      return null;
    }

    @Override
    public void onError(WebSocket from, Throwable fault) {
      loop.execute(() -> end(CloseCodes.NO_CLOSE_FRAME, "", Causes.of(fault)));
    }
  }
}
