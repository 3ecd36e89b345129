package io.soleseat.client;

final class BrokerUrlTest {
  private static void completes(String text, String whole) {
    Check.equal(BrokerUrl.complete(text).toString(), whole);
  }

  private static void refuses(String text, String because) throws Exception {
    Check.fails(IllegalArgumentException.class, because, () -> BrokerUrl.complete(text));
  }

  void addsThePathWhereThereIsNone() {
    completes("wss://seats.example.com", "wss://seats.example.com/v1/connect");
    completes("wss://seats.example.com/", "wss://seats.example.com/v1/connect");
    completes("ws://127.0.0.1:8080/?region=eu", "ws://127.0.0.1:8080/v1/connect?region=eu");
    completes("ws://[::1]:8080", "ws://[::1]:8080/v1/connect");
    completes("wss://example.com/seats/v1/connect", "wss://example.com/seats/v1/connect");
  }

  void takesHttpAsWs() {
    completes("http://127.0.0.1:8080", "ws://127.0.0.1:8080/v1/connect");
    completes("HTTPS://seats.example.com/v1/connect", "wss://seats.example.com/v1/connect");
    completes(" wss://seats.example.com\n", "wss://seats.example.com/v1/connect");
  }

  void refusesWhatCanNeverDo() throws Exception {
    refuses("seats.example.com", "begins with none");
    refuses("ftp://seats.example.com", "begins with none");
    refuses("", "begins with none");
    refuses("wss://", "cannot be read");
    refuses("wss:///v1/connect", "names no host");
    refuses("wss://under_score.example.com", "names no host");
    refuses("wss://seats.example.com/#top", "fragment");
    refuses("wss://ada:secret@seats.example.com", "user name");
    refuses("wss://seats.example.com/a b", "cannot be read");
  }

  void refusesATokenAndDoesNotRepeatIt() throws Exception {
    for (String query : new String[] {"token=x", "access_token=x", "a=1&JWT=x", "auth=x", "q=eyJhb.eyJzd.c2ln"})
      refuses("wss://seats.example.com/?" + query, "has a token in its query");
    try {
      BrokerUrl.complete("wss://seats.example.com/?token=secret");
    } catch (IllegalArgumentException fault) {
      Check.isTrue("the message is without the token", !fault.getMessage().contains("secret"));
    }
  }
}
