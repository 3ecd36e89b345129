package io.soleseat.client;

import java.util.concurrent.CompletableFuture;

/** A release is under way: it ends when the broker has confirmed it, or when nobody waits any longer. */
final class PendingRelease {
  static final double TIMEOUT_MS = 2_000;

  private final CompletableFuture<Void> done;
  private final Loop.Timer timer;

  PendingRelease(Loop loop, CompletableFuture<Void> done, Runnable onOverdue) {
    this.done = done;
    timer = loop.after(TIMEOUT_MS, onOverdue); // [release-timeout]
  }

  /** Another caller wants to know of the same end. */
  void alsoTell(CompletableFuture<Void> other) {
    done.thenRun(() -> other.complete(null));
  }

  void settle() {
    timer.cancel();
    done.complete(null);
  }
}
