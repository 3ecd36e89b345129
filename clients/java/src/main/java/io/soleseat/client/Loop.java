package io.soleseat.client;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;

/**
 * The one thread to which the state of a client belongs. It is a daemon, and ends by itself when there is nothing to do for
 * a while.
 */
final class Loop {
  static final Logger LOG = System.getLogger("io.soleseat.client");
  static final long IDLE_SECONDS = 5;

  /** Something that is due later. */
  interface Timer {
    void cancel();

    Timer NONE = () -> {};
  }

  private final ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1, daemons("soleseat"));
  private volatile Thread thread = null;

  Loop() {
    executor.setKeepAliveTime(IDLE_SECONDS, TimeUnit.SECONDS);
    executor.allowCoreThreadTimeOut(true);
    executor.setRemoveOnCancelPolicy(true);
  }

  void execute(Runnable task) {
    executor.execute(() -> run(task));
  }

  Timer after(double ms, Runnable task) {
    long nanos = (long) (Math.max(0, Math.min(ms, Backoff.LONGEST_MS)) * 1e6);
    ScheduledFuture<?> due = executor.schedule(() -> run(task), nanos, TimeUnit.NANOSECONDS);
    return () -> due.cancel(false);
  }

  /** Whether the caller runs on this loop. */
  boolean isHere() {
    return Thread.currentThread() == thread;
  }

  static ThreadFactory daemons(String name) {
    return task -> {
      Thread thread = new Thread(task, name);
      thread.setDaemon(true);
      return thread;
    };
  }

  /** An executor would swallow what a task throws. */
  private void run(Runnable task) {
    thread = Thread.currentThread();
    try {
      task.run();
    } catch (RuntimeException | Error fault) {
      LOG.log(Level.ERROR, "soleseat: a fault in the library", fault);
    }
  }
}
