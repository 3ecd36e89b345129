import java.awt.BasicStroke;
import java.awt.BorderLayout;
import java.awt.Color;
import java.awt.Component;
import java.awt.Dimension;
import java.awt.Font;
import java.awt.Graphics;
import java.awt.Graphics2D;
import java.awt.GridBagLayout;
import java.awt.RenderingHints;
import java.awt.event.MouseAdapter;
import java.awt.event.WindowAdapter;
import java.awt.event.WindowEvent;
import java.util.stream.Stream;
import javax.swing.BorderFactory;
import javax.swing.Box;
import javax.swing.BoxLayout;
import javax.swing.JButton;
import javax.swing.JFrame;
import javax.swing.JLabel;
import javax.swing.JPanel;
import javax.swing.JScrollPane;
import javax.swing.JTextArea;
import javax.swing.Timer;
import javax.swing.WindowConstants;
import javax.swing.event.DocumentEvent;
import javax.swing.event.DocumentListener;

/** How {@link Notes} looks: a text, a small sign, and a cover over both. It knows nothing of seats. */
final class NotesWindow {
  /** What covers the text. Without a label there is no button. */
  record Cover(String title, String text, String label, Runnable action) {}

  private static final Color GROUND = new Color(0xf6f6f3);
  private static final Color LINE = new Color(0xe2e2dc);
  private static final Color INK = new Color(0x1a1d1e);
  private static final Color MUTED = new Color(0x565e60);
  private static final Color ACCENT = new Color(0x0b6b62);
  private static final Color ACCENT_STRONG = new Color(0x08554e);
  private static final Color WARN = new Color(0x8a4b00);
  private static final Color WARN_SOFT = new Color(0xfbeed7);
  private static final int SAVE_AFTER_MS = 500;

  private final JFrame frame;
  private final JTextArea editor = new JTextArea();
  private final JLabel sign = new Rounded(WARN_SOFT);
  private final JPanel glass = new Veil();
  private Cover shown = null;

  NotesWindow(String machineName, String text, Runnable onSave, Runnable onLeave) {
    frame = new JFrame("Notes on " + machineName);
    frame.setContentPane(content(machineName));
    frame.setGlassPane(glass);
    frame.setDefaultCloseOperation(WindowConstants.DO_NOTHING_ON_CLOSE);
    frame.addWindowListener(
        new WindowAdapter() {
          @Override
          public void windowClosing(WindowEvent event) {
            onLeave.run();
          }
        });
    editor.setText(text);
    Timer saving = new Timer(SAVE_AFTER_MS, tick -> onSave.run());
    saving.setRepeats(false);
    editor.getDocument().addDocumentListener(new Change(saving::restart));
    showSign("");
  }

  void open() {
    frame.setSize(new Dimension(760, 480));
    frame.setVisible(true);
  }

  void close() {
    frame.dispose();
    System.exit(0);
  }

  String text() {
    return editor.getText();
  }

  void showSign(String text) {
    sign.setText(text);
    sign.setVisible(!text.isEmpty());
  }

  void unlock() {
    if (shown == null) return;
    shown = null;
    glass.setVisible(false);
    editor.setFocusable(true);
    editor.requestFocusInWindow();
  }

  /** The text stays where it is. Neither mouse nor keys reach it until {@link #unlock}. */
  void lock(Cover cover) {
    if (cover.equals(shown)) return;
    shown = cover;
    editor.setFocusable(false);
    JPanel card = card(cover);
    glass.removeAll();
    glass.add(card);
    glass.setVisible(true);
    glass.revalidate();
    glass.repaint();
    // Not the button: a person who is typing would click it with the next blank.
    card.requestFocusInWindow();
  }

  private JPanel content(String machineName) {
    JLabel title = label("Notes", Font.BOLD, 18, INK);
    JLabel place = label("on " + machineName, Font.PLAIN, 14, MUTED);
    sign.setFont(font(Font.PLAIN, 13));
    sign.setForeground(WARN);
    sign.setBorder(BorderFactory.createEmptyBorder(4, 12, 4, 12));
    JPanel head = new JPanel();
    head.setLayout(new BoxLayout(head, BoxLayout.X_AXIS));
    head.setBackground(GROUND);
    head.setBorder(BorderFactory.createEmptyBorder(14, 24, 14, 20));
    Stream.of(title, Box.createHorizontalStrut(10), place, Box.createHorizontalGlue(), sign).forEach(head::add);
    head.setPreferredSize(new Dimension(0, 56));

    editor.setFont(font(Font.PLAIN, 16));
    editor.setForeground(INK);
    editor.setLineWrap(true);
    editor.setWrapStyleWord(true);
    editor.setBorder(BorderFactory.createEmptyBorder(20, 24, 20, 24));
    JScrollPane scroll = new JScrollPane(editor);
    scroll.setBorder(BorderFactory.createMatteBorder(1, 0, 0, 0, LINE));
    JPanel content = new JPanel(new BorderLayout());
    content.add(head, BorderLayout.NORTH);
    content.add(scroll, BorderLayout.CENTER);
    return content;
  }

  private JPanel card(Cover cover) {
    JPanel card = new Card();
    card.add(label(cover.title(), Font.BOLD, 19, INK));
    for (String line : cover.text().split("\n")) {
      card.add(Box.createVerticalStrut(8));
      // HTML wraps a long sentence.
      JLabel text = label("", Font.PLAIN, 15, MUTED);
      text.setText("<html><div style='width:290px'>" + line.replace("&", "&amp;").replace("<", "&lt;") + "</div></html>");
      text.getAccessibleContext().setAccessibleName(line);
      card.add(text);
    }
    if (cover.label() != null) {
      JButton button = new Pill(cover.label());
      button.addActionListener(click -> cover.action().run());
      card.add(Box.createVerticalStrut(20));
      card.add(button);
    }
    return card;
  }

  private static JLabel label(String text, int style, int size, Color color) {
    JLabel label = new JLabel(text);
    label.setFont(font(style, size));
    label.setForeground(color);
    label.setAlignmentX(Component.LEFT_ALIGNMENT);
    return label;
  }

  /** The first of these that the computer has. Java gives its own font for one that is missing. */
  private static Font font(int style, int size) {
    return Stream.of("Inter", "Segoe UI", "Helvetica Neue", "Noto Sans")
        .map(name -> new Font(name, style, size))
        .filter(font -> !font.getFamily().equals(Font.DIALOG))
        .findFirst()
        .orElse(new Font(Font.SANS_SERIF, style, size));
  }

  private static Graphics2D smooth(Graphics graphics) {
    Graphics2D smooth = (Graphics2D) graphics;
    smooth.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    return smooth;
  }

  private record Change(Runnable action) implements DocumentListener {
    @Override
    public void insertUpdate(DocumentEvent event) {
      action.run();
    }

    @Override
    public void removeUpdate(DocumentEvent event) {
      action.run();
    }

    @Override
    public void changedUpdate(DocumentEvent event) {}
  }

  /** Dims what lies below, and keeps the mouse from it. */
  private static final class Veil extends JPanel {
    Veil() {
      super(new GridBagLayout());
      setOpaque(false);
      addMouseListener(new MouseAdapter() {});
    }

    @Override
    protected void paintComponent(Graphics graphics) {
      graphics.setColor(new Color(0x1e, 0x26, 0x26, 0x8c));
      graphics.fillRect(0, 0, getWidth(), getHeight());
    }
  }

  private static final class Card extends JPanel {
    Card() {
      setLayout(new BoxLayout(this, BoxLayout.Y_AXIS));
      setOpaque(false);
      setFocusable(true);
      setBorder(BorderFactory.createEmptyBorder(28, 32, 28, 32));
    }

    @Override
    protected void paintComponent(Graphics graphics) {
      Graphics2D pen = smooth(graphics);
      pen.setColor(Color.WHITE);
      pen.fillRoundRect(0, 0, getWidth(), getHeight(), 24, 24);
    }
  }

  private static final class Rounded extends JLabel {
    Rounded(Color ground) {
      setBackground(ground);
    }

    @Override
    protected void paintComponent(Graphics graphics) {
      Graphics2D pen = smooth(graphics);
      pen.setColor(getBackground());
      pen.fillRoundRect(0, 0, getWidth(), getHeight(), getHeight(), getHeight());
      super.paintComponent(graphics);
    }
  }

  private static final class Pill extends JButton {
    Pill(String text) {
      super(text);
      setFont(font(Font.BOLD, 14));
      setForeground(Color.WHITE);
      setBorder(BorderFactory.createEmptyBorder(10, 18, 10, 18));
      setContentAreaFilled(false);
      setFocusPainted(false);
      setAlignmentX(Component.LEFT_ALIGNMENT);
    }

    @Override
    protected void paintComponent(Graphics graphics) {
      Graphics2D pen = smooth(graphics);
      pen.setColor(getModel().isRollover() ? ACCENT_STRONG : ACCENT);
      pen.fillRoundRect(0, 0, getWidth(), getHeight(), 16, 16);
      if (isFocusOwner()) {
        pen.setColor(Color.WHITE);
        pen.setStroke(new BasicStroke(1.5f));
        pen.drawRoundRect(3, 3, getWidth() - 7, getHeight() - 7, 11, 11);
      }
      super.paintComponent(graphics);
    }
  }
}
