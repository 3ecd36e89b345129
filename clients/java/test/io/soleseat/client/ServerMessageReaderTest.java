package io.soleseat.client;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

final class ServerMessageReaderTest {
  private static ServerMessage read(String text) {
    return ServerMessageReader.read(text).orElseThrow();
  }

  void readsAWelcomeWithAllThatItMayHave() {
    ServerMessage.Welcome welcome =
        (ServerMessage.Welcome)
            read(
                "{\"type\":\"welcome\",\"sessionId\":\"s\",\"epoch\":1732523000001000,\"resumed\":true,\"ttlMs\":26998,"
                    + "\"renewEveryMs\":10000,\"license\":{\"id\":\"l\",\"expiresAt\":1732523000001},"
                    + "\"displaced\":{\"machine\":{\"name\":\"laptop\"}},\"elapsedMs\":0,\"later\":[{}]}");
    Check.equal(welcome.session(), new ServerMessage.Resume("s", 1732523000001000L));
    Check.equal(
        welcome.license(), Optional.of(new SeatEvent.License("l", Optional.of(Instant.ofEpochMilli(1732523000001L)))));
    Check.isTrue("all is read", welcome.resumed() && welcome.displaced() && welcome.ttlMs() == 26_998);
    Check.equal(welcome.displacedName(), Optional.of("laptop"));
    Check.equal(welcome.elapsedMs(), OptionalLong.of(0));
  }

  void readsWhoIsAsked() {
    ServerMessage.Conflict conflict =
        (ServerMessage.Conflict)
            read(
                "{\"type\":\"conflict\",\"holder\":{\"machine\":{},\"since\":1,\"onLeaveUntil\":5},\"asking\":true,\"waitMs\":9,"
                    + "\"elapsedMs\":0}");
    Check.isTrue("asking", conflict.event().asking());
    Check.equal(conflict.event().answerWithin(), Optional.of(Duration.ofMillis(9)));
    Check.equal(conflict.event().onLeaveUntil(), Optional.of(Instant.ofEpochMilli(5)));
    ServerMessage.Conflict plain =
        (ServerMessage.Conflict)
            read("{\"type\":\"conflict\",\"holder\":{\"onLeaveUntil\":null},\"asking\":null,\"waitMs\":\"soon\"}");
    Check.isTrue("nobody", !plain.event().asking() && plain.event().answerWithin().isEmpty());
    Check.equal(plain.event().onLeaveUntil(), Optional.empty());
  }

  void takesNullAsLeftOut() {
    ServerMessage.Welcome welcome =
        (ServerMessage.Welcome)
            read(
                "{\"type\":\"welcome\",\"sessionId\":\"s\",\"epoch\":1,\"resumed\":null,\"ttlMs\":1,\"renewEveryMs\":1,"
                    + "\"license\":null,\"displaced\":null,\"elapsedMs\":null}");
    Check.isTrue("nothing", !welcome.resumed() && !welcome.displaced() && welcome.license().isEmpty());
    Check.equal(welcome.elapsedMs(), OptionalLong.empty());
  }

  void passesOverWhatItCannotUse() {
    String[] texts = {
      "", "nonsense", "[]", "null", "7", "{}", "{\"type\":7}", "{\"type\":\"of_later\"}",
      "{\"type\":\"welcome\",\"sessionId\":\"s\",\"epoch\":1,\"ttlMs\":1}",
      "{\"type\":\"lease\",\"epoch\":\"1\",\"ttlMs\":1}",
      "{\"type\":\"lease\",\"epoch\":1,\"ttlMs\":-1}",
      // promise 15
      "{\"type\":\"lease\",\"epoch\":1,\"ttlMs\":1,\"elapsedMs\":\"soon\"}",
      "{\"type\":\"lease\",\"epoch\":1,\"ttlMs\":1,\"elapsedMs\":-1}",
      "{\"type\":\"evicted\"}", "{\"type\":\"conflict\",\"holder\":null}", "{\"type\":\"jeopardy\"}",
      "{\"type\":\"draining\",\"reconnectWithinMs\":null}", "{\"type\":\"error\",\"message\":\"x\"}"
    };
    for (String text : texts) Check.equal(ServerMessageReader.read(text), Optional.empty());
  }

  void joinsPartsAndPassesOverWhatIsTooLong() {
    MessageJoiner joiner = new MessageJoiner();
    Check.equal(joiner.add("ab", false), Optional.empty());
    Check.equal(joiner.add("", false), Optional.empty());
    Check.equal(joiner.add("c", true), Optional.of("abc"));
    String part = "x".repeat(MessageJoiner.MOST_CHARACTERS);
    Check.equal(joiner.add(part, false), Optional.empty());
    Check.equal(joiner.add("y", false), Optional.empty());
    Check.equal(joiner.add("z", true), Optional.empty());
    Check.equal(joiner.add("next", true), Optional.of("next"));
    Check.equal(joiner.add(part, true), Optional.of(part));
  }
}
