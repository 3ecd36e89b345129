package io.soleseat.client;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;

final class SerialExecutorTest {
  void keepsTheOrderOnManyThreads() throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(8, Loop.daemons("pool"));
    SerialExecutor serial = new SerialExecutor(pool);
    List<Integer> done = Collections.synchronizedList(new ArrayList<>());
    List<Integer> expected = new ArrayList<>();
    CountDownLatch all = new CountDownLatch(2_000);
    for (int i = 0; i < 2_000; i++) {
      int number = i;
      expected.add(number);
      serial.execute(
          () -> {
            done.add(number);
            all.countDown();
          });
    }
    all.await();
    Check.equal(done, expected);
    pool.shutdown();
  }

  void goesOnAfterATaskThatThrew() throws Exception {
    ExecutorService one = Executors.newSingleThreadExecutor(Loop.daemons("one"));
    SerialExecutor serial =
        new SerialExecutor(
            task ->
                one.execute(
                    () -> {
                      try {
                        task.run();
                      } catch (IllegalStateException expected) {
                        // As the thread of a toolkit would go on.
                      }
                    }));
    CountDownLatch later = new CountDownLatch(1);
    serial.execute(
        () -> {
          throw new IllegalStateException("on purpose");
        });
    serial.execute(later::countDown);
    later.await();
    one.shutdown();
  }

  void isOfUseAgainAfterItsTargetRefused() {
    boolean[] refuses = {true};
    SerialExecutor serial =
        new SerialExecutor(
            task -> {
              if (refuses[0]) throw new RejectedExecutionException("on purpose: the toolkit has ended");
              task.run();
            });
    List<String> done = new ArrayList<>();
    serial.execute(() -> done.add("lost"));
    refuses[0] = false;
    serial.execute(() -> done.add("later"));
    Check.equal(done, List.of("later"));
  }
}
