package io.soleseat.client;

import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Hands tasks on to another executor one at a time and in order, whether that one has one thread or many. */
final class SerialExecutor implements Executor {
  private final Queue<Runnable> waiting = new ArrayDeque<>();
  private final Executor target;
  private boolean isRunning = false;

  SerialExecutor(Executor target) {
    this.target = target;
  }

  /** One daemon thread, which ends when nothing comes for a while. */
  static Executor ownThread() {
    return new ThreadPoolExecutor(
        0, 1, Loop.IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), Loop.daemons("soleseat-listener"));
  }

  @Override
  public void execute(Runnable task) {
    synchronized (waiting) {
      waiting.add(task);
      if (isRunning) return;
      isRunning = true;
    }
    handOn();
  }

  private void handOn() {
    try {
      target.execute(this::runOne);
    } catch (RuntimeException | Error refused) {
      // The toolkit of the program has ended, for example: nobody is there who could listen.
      Loop.LOG.log(Level.WARNING, "soleseat: the callback executor takes no event", refused);
      synchronized (waiting) {
        waiting.clear();
        isRunning = false;
      }
    }
  }

  private void runOne() {
    Runnable task;
    synchronized (waiting) {
      task = waiting.poll();
    }
    try {
      if (task != null) task.run();
    } finally {
      boolean hasMore;
      synchronized (waiting) {
        hasMore = !waiting.isEmpty();
        isRunning = hasMore;
      }
      if (hasMore) handOn();
    }
  }
}
