package io.soleseat.client;

import java.util.function.Consumer;

/** Gives the broker a new token on the open connection, however often it takes to get one. Belongs to the loop. */
final class TokenRefresh {
  /** However short its tokens are, a client asks for no more of them than this. */
  private static final long PAUSE_MS = 5_000;

  private final Loop loop;
  private final TokenFetcher fetcher;
  private final Backoff backoff;
  private final Consumer<String> send;
  private final Consumer<String> onFailure;
  private Loop.Timer timer = Loop.Timer.NONE;
  private TokenFetcher.Question question = null;
  private boolean isUnderWay = false;
  private long notBeforeNanos = System.nanoTime();
  private TokenNeed need = TokenNeed.TOKEN_EXPIRING;

  TokenRefresh(Loop loop, TokenFetcher fetcher, Backoff backoff, Consumer<String> send, Consumer<String> onFailure) {
    this.loop = loop;
    this.fetcher = fetcher;
    this.backoff = backoff;
    this.send = send;
    this.onFailure = onFailure;
  }

  /** The broker said that the token ends soon. A refresh that waits or is under way serves later warnings too. */
  void begin() {
    begin(TokenNeed.TOKEN_EXPIRING, Math.max(0, (notBeforeNanos - System.nanoTime()) / 1e6));
  }

  /** The token that was sent is not accepted yet. The wait is added to: many may have been told the same one. */
  void again(long inMs) {
    begin(TokenNeed.TOKEN_NOT_YET_ACCEPTED, inMs + (double) backoff.fullJitterMs(0));
  }

  /** The connection is over. */
  void stop() {
    isUnderWay = false;
    timer.cancel();
    if (question != null) question.cancel();
    question = null;
  }

  private void begin(TokenNeed newNeed, double inMs) {
    if (isUnderWay) return;
    isUnderWay = true;
    need = newNeed;
    attempt(0, inMs);
  }

  private void attempt(int tries, double inMs) {
    timer = loop.after(inMs, () -> question = fetcher.ask(need, this::fetched, message -> failed(tries, message)));
  }

  private void fetched(String token) {
    question = null;
    isUnderWay = false;
    notBeforeNanos = System.nanoTime() + PAUSE_MS * 1_000_000;
    send.accept(token);
  }

  private void failed(int tries, String message) {
    question = null;
    attempt(tries + 1, backoff.fullJitterMs(tries));
    onFailure.accept(message);
  }
}
