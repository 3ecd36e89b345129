package io.soleseat.client;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** CLOCK_BOOTTIME of Linux, which goes on in sleep, in steps of 10 ms: the first number of /proc/uptime. */
final class BoottimeClock implements SeatClock {
  private static final String FILE = "/proc/uptime";
  private static final int MOST_BYTES = 64;

  private double lastMs = 0;
  private double lastAwakeMs = awakeMs();

  static boolean isThere() {
    try {
      return read() > 0;
    } catch (IOException | NumberFormatException noSuchClock) {
      return false;
    }
  }

  /** A process without a free file handle cannot read it: then time goes on as if the computer were awake. */
  @Override
  public synchronized double nowMs() {
    double awakeMs = awakeMs();
    double nowMs;
    try {
      nowMs = read();
    } catch (IOException | NumberFormatException unreadable) {
      nowMs = lastMs + awakeMs - lastAwakeMs;
    }
    lastMs = Math.max(lastMs, nowMs);
    lastAwakeMs = awakeMs;
    return lastMs;
  }

  @Override
  public double wallMs() {
    return Double.NaN;
  }

  private static double read() throws IOException {
    try (FileInputStream file = new FileInputStream(FILE)) {
      String text = new String(file.readNBytes(MOST_BYTES), StandardCharsets.US_ASCII);
      return Double.parseDouble(text.substring(0, Math.max(0, text.indexOf(' ')))) * 1_000;
    }
  }

  private static double awakeMs() {
    return System.nanoTime() / 1e6;
  }
}
