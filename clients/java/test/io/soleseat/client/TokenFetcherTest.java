package io.soleseat.client;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;

final class TokenFetcherTest {
  private final Loop loop = new Loop();
  private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();

  private void ask(TokenFetcher fetcher) {
    loop.execute(
        () -> fetcher.ask(TokenNeed.CONNECT, token -> answers.add("token " + token), fault -> answers.add("failed: " + fault)));
  }

  void givesTheToken() throws Exception {
    ask(new TokenFetcher(loop, need -> "for " + need, 60_000));
    Check.equal(answers.take(), "token for CONNECT");
  }

  void tellsWhyThereIsNone() throws Exception {
    ask(
        new TokenFetcher(
            loop,
            need -> {
              throw new IllegalStateException("signed out");
            },
            60_000));
    Check.equal(answers.take(), "failed: signed out");
    ask(new TokenFetcher(loop, need -> null, 60_000));
    Check.equal(answers.take(), "failed: the token source gave no token");
    ask(new TokenFetcher(loop, need -> "", 60_000));
    Check.equal(answers.take(), "failed: the token source gave no token");
  }

  void interruptsASourceThatHangs() throws Exception {
    CountDownLatch interrupted = new CountDownLatch(1);
    ask(
        new TokenFetcher(
            loop,
            need -> {
              try {
                new CountDownLatch(1).await();
              } catch (InterruptedException end) {
                interrupted.countDown();
              }
              return "too late";
            },
            50));
    Check.equal(answers.take(), "failed: the token source gave no token within 50 ms");
    interrupted.await();
    // What comes late is passed over: the next answer is that of the next question.
    ask(new TokenFetcher(loop, need -> "next", 60_000));
    Check.equal(answers.take(), "token next");
  }

  void keepsFewThreadsForASourceThatIgnoresInterrupts() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    TokenFetcher fetcher =
        new TokenFetcher(
            loop,
            need -> {
              for (; ; ) {
                try {
                  end.await();
                  return "at last";
                } catch (InterruptedException ignored) {
                  // On purpose.
                }
              }
            },
            20);
    for (int question = 0; question < 4; question++) {
      ask(fetcher);
      Check.equal(answers.take(), "failed: the token source gave no token within 20 ms");
    }
    ask(fetcher);
    Check.equal(answers.take(), "failed: the token source is still busy with 4 earlier questions");
    end.countDown();
  }
}
