import io.soleseat.client.MachineId;
import java.io.IOException;

/** Prints the id of this computer for the application in its argument, or `none`. */
public final class PrintMachine {
  public static void main(String[] arguments) {
    try {
      System.out.println(MachineId.of(arguments[0]).id());
    } catch (IOException none) {
      System.out.println("none");
    }
  }
}
