package io.soleseat.client;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The ids of the vectors that all client libraries share. The file is named by the property soleseat.vectors. */
final class MachineIdTest {
  private static List<Fields> vectors() throws Exception {
    String text = Files.readString(Path.of(System.getProperty("soleseat.vectors")));
    return ((List<?>) JsonReader.read(text)).stream().map(one -> new Fields((Map<?, ?>) one)).toList();
  }

  void isThatOfTheVectors() throws Exception {
    int checked = 0;
    for (Fields vector : vectors()) {
      if (vector.optionalText("systemId").isEmpty()) continue;
      checked++;
      Check.equal(MachineId.hash((String) vector.map().get("application"), vector.text("systemId")), vector.text("id"));
    }
    Check.isTrue("there are some", checked > 3);
  }

  void isFoundOnEverySystemOfTheVectors() throws Exception {
    int checked = 0;
    for (Fields vector : vectors()) {
      if (vector.optionalText("system").isEmpty()) continue;
      checked++;
      Optional<Machine> found = find(vector);
      String name = vector.text("system") + ": " + vector.text("name");
      Check.equal(name + " " + found.map(Machine::id), name + " " + vector.optionalText("id"));
      Check.equal(
          name + " " + found.flatMap(Machine::kind).map(MachineKind::wireName), name + " " + vector.optionalText("kind"));
    }
    Check.isTrue("there are many", checked > 30);
  }

  private static Optional<Machine> find(Fields vector) throws Exception {
    try {
      return Optional.of(MachineId.of(vector.text("application"), new Recorded(vector)));
    } catch (IOException none) {
      Check.isTrue("the message has the next step", none.getMessage().contains("this system has no machine id: "));
      return Optional.empty();
    }
  }

  void comesWithWhatThisComputerIsCalled() throws Exception {
    Machine machine = MachineId.of("drawing", new WithAnId());
    Check.equal(machine.id(), MachineId.hash("drawing", "0123456789abcdef0123456789abcdef"));
    Check.isTrue("it has a name and a system", machine.name().isPresent() && machine.os().isPresent());
    Check.isTrue("it has a kind", machine.kind().isPresent());
  }

  /** This system, but for an id that a container may not have. */
  private static final class WithAnId implements SystemProbe {
    private final SystemProbe real = new ThisSystem();

    @Override
    public String system() {
      return "linux";
    }

    @Override
    public String environment(String name) {
      return real.environment(name);
    }

    @Override
    public Optional<String> text(String path) {
      return path.equals("/etc/machine-id") ? Optional.of("0123456789abcdef0123456789abcdef\n") : real.text(path);
    }

    @Override
    public boolean exists(String path) {
      return real.exists(path);
    }

    @Override
    public Optional<String> run(String command, String... arguments) {
      return real.run(command, arguments);
    }
  }

  void takesNoOutputOfACommandThatFails() {
    SystemProbe system = new SystemProbe.ThisSystem();
    Check.equal(system.run("sh", "-c", "echo out; exit 0"), Optional.of("out\n"));
    Check.equal(system.run("sh", "-c", "echo out; exit 1"), Optional.empty());
    Check.equal(system.run("there-is-no-such-command"), Optional.empty());
  }

  /** What a system of the vectors answers. */
  private record Recorded(Fields vector) implements SystemProbe {
    @Override
    public String system() {
      return vector.optionalText("system").orElseThrow();
    }

    @Override
    public String environment(String name) {
      return vector.inner("environment").optionalText(name).orElse(null);
    }

    @Override
    public Optional<String> text(String path) {
      return Optional.ofNullable((String) vector.inner("files").map().get(path));
    }

    @Override
    public boolean exists(String path) {
      return vector.inner("files").map().containsKey(path);
    }

    @Override
    public Optional<String> run(String command, String... arguments) {
      String line = command + " " + String.join(" ", arguments);
      return Optional.ofNullable((String) vector.inner("commands").map().get(line.strip()));
    }
  }
}
