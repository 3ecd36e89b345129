package io.soleseat.client;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Tickets are judged as the vectors say that all client libraries share: ticket-vectors.json, beside the file of soleseat.vectors. */
final class TicketTest {
  private static Fields vectors() throws Exception {
    Path file = Path.of(System.getProperty("soleseat.vectors")).resolveSibling("ticket-vectors.json");
    return Fields.of(JsonReader.read(Files.readString(file)));
  }

  private static TicketKeys keys(Fields vectors) {
    return TicketKeys.parse(write(vectors.inner("keys")));
  }

  /** The writer of the library writes no lists. */
  private static String write(Fields keySet) {
    List<String> rows =
        ((List<?>) keySet.map().get("keys"))
            .stream().map(key -> JsonWriter.write(Map.copyOf(textsOf((Map<?, ?>) key)))).toList();
    return "{\"keys\":[" + String.join(",", rows) + "]}";
  }

  private static Map<String, Object> textsOf(Map<?, ?> key) {
    Map<String, Object> texts = new java.util.HashMap<>();
    key.forEach((name, value) -> texts.put((String) name, value));
    return texts;
  }

  private static List<Fields> rows(Fields vectors, String name) {
    return ((List<?>) vectors.map().get(name)).stream().map(one -> new Fields((Map<?, ?>) one)).toList();
  }

  void judgesALeaveAsTheVectorsSay() throws Exception {
    Fields vectors = vectors();
    List<Fields> looks = rows(vectors, "looks");
    for (Fields vector : looks) {
      String name = vector.text("name");
      LeaveChecker checker = new LeaveChecker(keys(vectors), vector.text("machine"));
      vector.optionalText("user").ifPresent(checker::user);
      vector.optionalText("org").ifPresent(checker::org);
      Fields record = vector.inner("record");
      LeaveChecker.Look look =
          checker.look(
              new LeaveRecord(
                  (String) record.map().get("ticket"),
                  Duration.ofMillis(record.count("forMs")),
                  Instant.ofEpochMilli(record.count("receivedMs")),
                  Instant.ofEpochMilli(record.count("seenMs"))),
              Instant.ofEpochMilli(vector.count("nowMs")));
      Check.equal(name + look.holds(), name + vector.isTrue("holds"));
      Check.equal(look.refusal().map(one -> one.name().toLowerCase(Locale.ROOT)), vector.optionalText("reason"));
      Check.equal(look.until(), vector.optionalTime("untilMs"));
      Check.equal(look.record().seenAt(), Instant.ofEpochMilli(vector.count("seenMs")));
      Check.equal(LeaveRecord.parse(look.record().toJson()), look.record());
    }
    Check.isTrue("there are some", looks.size() > 20);
  }

  void judgesAWelcomeAsTheVectorsSay() throws Exception {
    Fields vectors = vectors();
    for (Fields vector : rows(vectors, "proofs")) {
      BrokerProof proof = new BrokerProof(keys(vectors), vector.text("nonce"));
      ServerMessage.Lease lease = new ServerMessage.Lease(1, 1, OptionalLong.empty());
      Optional<String> fault = proof.faultOf(welcome(vector.text("sessionId"), Optional.of(vector.text("ticket"))));
      Check.equal(vector.text("name") + fault.isEmpty(), vector.text("name") + vector.isTrue("isGood"));
      Check.equal(proof.allows(lease), vector.isTrue("isGood"));
    }
    Check.isTrue("none is a fault", new BrokerProof(keys(vectors)).faultOf(welcome("s", Optional.empty())).isPresent());
  }

  void hasANonceForEachConnection() throws Exception {
    TicketKeys keys = keys(vectors());
    String nonce = new BrokerProof(keys).nonce();
    Check.isTrue("its length", nonce.length() >= 16 && nonce.length() <= 64);
    Check.isTrue("it is new", !nonce.equals(new BrokerProof(keys).nonce()));
  }

  void refusesWhatIsNoKeySet() throws Exception {
    for (String bad : new String[] {"", "{}", "{\"keys\":[]}", "{\"keys\":[{\"kty\":\"OKP\",\"kid\":\"a\"}]}"})
      Check.fails(IllegalArgumentException.class, "key set", () -> TicketKeys.parse(bad));
    Check.fails(IllegalArgumentException.class, "record", () -> LeaveRecord.parse("{\"ticket\":\"t\"}"));
  }

  private static ServerMessage.Welcome welcome(String sessionId, Optional<String> ticket) {
    return new ServerMessage.Welcome(
        new ServerMessage.Resume(sessionId, 1), false, 1, 1, Optional.empty(), false, Optional.empty(),
        OptionalLong.empty(), ticket, false, OptionalLong.empty());
  }
}
