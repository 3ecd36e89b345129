package io.soleseat.client;

import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Asks the token source on threads of its own, and waits for it no longer than the token timeout. */
final class TokenFetcher {
  /** A source that hangs and ignores interrupts keeps its thread. Beyond this many it is not asked. */
  private static final int MOST_THREADS = 4;

  private final Loop loop;
  private final TokenSource source;
  private final long timeoutMs;
  private final ThreadPoolExecutor threads =
      new ThreadPoolExecutor(
          0, MOST_THREADS, Loop.IDLE_SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>(), Loop.daemons("soleseat-token"));

  TokenFetcher(Loop loop, TokenSource source, long timeoutMs) {
    this.loop = loop;
    this.source = source;
    this.timeoutMs = timeoutMs;
  }

  /** A question to the token source. One of its two answers comes on the loop, unless it is cancelled. */
  final class Question {
    private final Consumer<String> onToken;
    private final Consumer<String> onFailure;
    private boolean isOver = false;
    private Future<?> call = null;
    private Loop.Timer timer = Loop.Timer.NONE;

    private Question(Consumer<String> onToken, Consumer<String> onFailure) {
      this.onToken = onToken;
      this.onFailure = onFailure;
    }

    /** Nobody wants the answer any more. */
    void cancel() {
      isOver = true;
      timer.cancel();
      if (call != null) call.cancel(true);
    }

    private void begin(TokenNeed need) {
      String overdue = "the token source gave no token within " + timeoutMs + " ms";
      timer = loop.after(timeoutMs, () -> failed(overdue)); // [token-timeout]
      try {
        call = threads.submit(() -> ask(need));
      } catch (RejectedExecutionException allHang) {
        loop.execute(() -> failed("the token source is still busy with " + MOST_THREADS + " earlier questions"));
      }
    }

    private void ask(TokenNeed need) {
      try {
        String token = source.getToken(need);
        loop.execute(() -> answered(token));
      } catch (Exception | Error fault) {
        if (fault instanceof InterruptedException) Thread.currentThread().interrupt();
        loop.execute(() -> failed(messageOf(fault)));
      }
    }

    private void answered(String token) {
      if (token == null || token.isEmpty()) failed("the token source gave no token");
      else if (!isOver) {
        cancel();
        onToken.accept(token);
      }
    }

    private void failed(String message) {
      if (isOver) return;
      cancel();
      onFailure.accept(message);
    }
  }

  Question ask(TokenNeed need, Consumer<String> onToken, Consumer<String> onFailure) {
    Question question = new Question(onToken, onFailure);
    question.begin(need);
    return question;
  }

  private static String messageOf(Throwable fault) {
    String message = fault.getMessage();
    return message == null || message.isEmpty() ? fault.getClass().getName() : message;
  }
}
