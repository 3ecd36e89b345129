import io.soleseat.client.SeatClient;
import java.util.concurrent.TimeUnit;

/** Takes a seat and returns from main without another word: the library keeps no program alive. */
public final class KeepsNothingAlive extends KitClient {
  public static void main(String[] arguments) throws Exception {
    SeatClient seat = new KeepsNothingAlive().describe().connect();
    while (!seat.holdsLease()) TimeUnit.MILLISECONDS.sleep(10);
    System.out.println("main returns");
  }
}
