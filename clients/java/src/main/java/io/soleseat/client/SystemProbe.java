package io.soleseat.client;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/** What the machine id needs of the system, so that a test can be another system. */
interface SystemProbe {
  /** {@code win32}, {@code darwin}, or {@code linux} and others as they call themselves. */
  String system();

  /** Null where the variable is not set. */
  String environment(String name);

  /** Empty where there is no such file, or it cannot be read. */
  Optional<String> text(String path);

  boolean exists(String path);

  /** A command's output. Empty where it fails. */
  Optional<String> run(String command, String... arguments);

  /** This system. */
  final class ThisSystem implements SystemProbe {
    private static final long COMMAND_TIMEOUT_SECONDS = 20;

    @Override
    public String system() {
      String name = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
      if (name.startsWith("windows")) return "win32";
      return name.startsWith("mac") ? "darwin" : name;
    }

    @Override
    public String environment(String name) {
      return System.getenv(name);
    }

    @Override
    public Optional<String> text(String path) {
      try {
        return Optional.of(new String(Files.readAllBytes(Path.of(path)), StandardCharsets.UTF_8));
      } catch (IOException | RuntimeException unreadable) {
        return Optional.empty();
      }
    }

    @Override
    public boolean exists(String path) {
      try {
        return Files.exists(Path.of(path));
      } catch (RuntimeException noPathHere) {
        return false;
      }
    }

    @Override
    public Optional<String> run(String command, String... arguments) {
      List<String> line = new ArrayList<>(List.of(arguments));
      line.add(0, command);
      try {
        Process process = new ProcessBuilder(line).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        process.getOutputStream().close();
        // Reading would wait for ever for a command that hangs.
        process
            .onExit()
            .orTimeout(COMMAND_TIMEOUT_SECONDS, TimeUnit.SECONDS)
            .whenComplete(
                (done, late) -> {
                  if (late != null) process.destroyForcibly();
                });
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return process.onExit().get().exitValue() == 0 ? Optional.of(output) : Optional.empty();
      } catch (IOException | ExecutionException | RuntimeException failed) {
        return Optional.empty();
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        return Optional.empty();
      }
    }
  }
}
