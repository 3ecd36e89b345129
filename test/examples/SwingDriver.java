import java.awt.AWTException;
import java.awt.Component;
import java.awt.Container;
import java.awt.Point;
import java.awt.Rectangle;
import java.awt.Robot;
import java.awt.Toolkit;
import java.awt.Window;
import java.awt.event.InputEvent;
import java.awt.event.KeyEvent;
import java.awt.event.WindowEvent;
import java.awt.image.BufferedImage;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;
import javax.swing.JButton;
import javax.swing.JFrame;
import javax.swing.JLabel;
import javax.swing.SwingUtilities;
import javax.swing.text.JTextComponent;

/**
 * Runs a program with Swing, and is the person before it: reads an order from each line, and answers with a line of JSON. It
 * clicks and types by a robot, so that what a click hits is decided by the screen.
 */
public final class SwingDriver {
  private static final int LOOK_EVERY_MS = 20;
  private static final int LOOKS_A_CLICK = 50;

  private final Robot robot;
  private JFrame frame;

  public static void main(String[] arguments) throws Exception {
    String program = arguments[0];
    String[] rest = Arrays.copyOfRange(arguments, 1, arguments.length);
    Class.forName(program).getMethod("main", String[].class).invoke(null, (Object) rest);
    SwingDriver driver = new SwingDriver();
    BufferedReader orders = new BufferedReader(new InputStreamReader(System.in));
    for (String line = orders.readLine(); line != null; line = orders.readLine()) {
      String[] words = line.split(" ", 2);
      System.out.println(driver.obey(words[0], words.length > 1 ? words[1] : ""));
    }
    System.exit(0);
  }

  private SwingDriver() throws AWTException {
    robot = new Robot();
    robot.setAutoWaitForIdle(true);
  }

  private String obey(String order, String what) throws Exception {
    if (frame == null) frame = onSwing(SwingDriver::findFrame);
    if (frame == null) return "{\"opens\":true}";
    switch (order) {
      case "look" -> {
        return onSwing(this::look);
      }
      case "click" -> click(JButton.class, button -> button.getText().equals(what));
      case "enter" -> {
        clickUntilFocused();
        press(KeyEvent.VK_CONTROL, KeyEvent.VK_END);
      }
      case "type" -> what.chars().forEach(this::typeCharacter);
      case "back" -> press(KeyEvent.VK_SHIFT, KeyEvent.VK_TAB);
      case "picture" -> takePicture(new File(what));
      // As the cross in the title bar does.
      case "close" -> frame.dispatchEvent(new WindowEvent(frame, WindowEvent.WINDOW_CLOSING));
      default -> throw new IllegalArgumentException(order);
    }
    return "{}";
  }

  private static JFrame findFrame() {
    return (JFrame) Arrays.stream(Window.getWindows()).filter(one -> one instanceof JFrame && one.isShowing()).findFirst().orElse(null);
  }

  private String look() {
    List<Component> cover = frame.getGlassPane().isShowing() ? shownIn((Container) frame.getGlassPane()) : null;
    List<Component> below = shownIn(frame.getContentPane());
    String editor = below.stream().filter(JTextComponent.class::isInstance).map(one -> ((JTextComponent) one).getText()).findFirst().orElse("");
    return "{\"labels\":" + texts(below, JLabel.class)
        + ",\"text\":" + quoted(editor)
        + ",\"cover\":" + (cover == null ? "null" : texts(cover, JLabel.class))
        + ",\"buttons\":" + (cover == null ? "[]" : texts(cover, JButton.class)) + "}";
  }

  private static List<Component> shownIn(Container container) {
    List<Component> found = new ArrayList<>();
    for (Component child : container.getComponents()) {
      if (!child.isShowing()) continue;
      found.add(child);
      if (child instanceof Container within) found.addAll(shownIn(within));
    }
    return found;
  }

  /** What a screen reader would say: without the tags of a label that wraps. */
  private static String texts(List<Component> components, Class<? extends Component> kind) {
    return components.stream()
        .filter(kind::isInstance)
        .map(one -> quoted(one.getAccessibleContext().getAccessibleName()))
        .collect(Collectors.joining(",", "[", "]"));
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
  }

  private <T extends Component> void click(Class<T> kind, Predicate<T> isIt) throws Exception {
    T found = onSwing(() -> {
      List<Component> all = new ArrayList<>(shownIn(frame.getLayeredPane()));
      if (frame.getGlassPane().isShowing()) all.addAll(shownIn((Container) frame.getGlassPane()));
      return all.stream().filter(kind::isInstance).map(kind::cast).filter(isIt).findFirst().orElseThrow();
    });
    Point middle = onSwing(() -> {
      Point corner = found.getLocationOnScreen();
      // Near the corner: a text's middle may be under the card.
      return new Point(corner.x + Math.min(found.getWidth() / 2, 40), corner.y + Math.min(found.getHeight() / 2, 40));
    });
    robot.mouseMove(middle.x, middle.y);
    robot.mousePress(InputEvent.BUTTON1_DOWN_MASK);
    robot.mouseRelease(InputEvent.BUTTON1_DOWN_MASK);
  }

  /** As a person waits for the caret, and clicks again. What is covered never gets it. */
  private void clickUntilFocused() throws Exception {
    for (int look = 0; ; look++) {
      if (look % LOOKS_A_CLICK == 0) click(JTextComponent.class, any -> true);
      if (onSwing(() -> frame.getFocusOwner() instanceof JTextComponent || frame.getGlassPane().isShowing())) return;
      robot.delay(LOOK_EVERY_MS);
    }
  }

  private void typeCharacter(int character) {
    int key = KeyEvent.getExtendedKeyCodeForChar(character);
    if (Character.isUpperCase(character)) press(KeyEvent.VK_SHIFT, key);
    else press(key);
  }

  /** All at once, as a person holds Ctrl. */
  private void press(int... keys) {
    Arrays.stream(keys).forEach(robot::keyPress);
    Arrays.stream(keys).forEach(robot::keyRelease);
  }

  private void takePicture(File file) throws Exception {
    Toolkit.getDefaultToolkit().sync();
    Rectangle place = onSwing(() -> {
      Point corner = frame.getContentPane().getLocationOnScreen();
      return new Rectangle(corner, frame.getContentPane().getSize());
    });
    // Away from what would change its color.
    robot.mouseMove(place.x + place.width - 1, place.y + place.height - 1);
    BufferedImage picture = robot.createScreenCapture(place);
    ImageIO.write(picture, "png", file);
  }

  private static <T> T onSwing(Callable<T> question) throws Exception {
    FutureTask<T> task = new FutureTask<>(question);
    SwingUtilities.invokeLater(task);
    return task.get();
  }
}
