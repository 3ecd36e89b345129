package io.soleseat.client;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Names this computer: the same at every start, other for each application. The id is an HMAC of the application's name under
 * the system's own id, so that it does not give that one away. {@code soleseat/client/machine-id} (TypeScript) and the Python
 * library give the same id.
 */
public final class MachineId {
  private static final int DIGITS = 32;
  private static final String UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
  private static final Pattern MAC = Pattern.compile("\"IOPlatformUUID\" = \"([^\"]+)\"");
  private static final Pattern LINUX = Pattern.compile("^([0-9a-f]{32})\\s*\\z");
  private static final Pattern REGISTRY = Pattern.compile("MachineGuid\\s+REG_SZ\\s+(\\S+)");
  private static final Pattern GUID = Pattern.compile("^\\s*(" + UUID + ")\\s*\\z", Pattern.CASE_INSENSITIVE);
  /** Some makers left it at zeros or Fs: then it is no machine's own. */
  private static final Pattern FIRMWARE =
      Pattern.compile("^\\s*(?!0{8}-|f{8}-)(" + UUID + ")\\s*\\z", Pattern.CASE_INSENSITIVE);
  private static final String CRYPTOGRAPHY = "SOFTWARE\\Microsoft\\Cryptography";

  private MachineId() {}

  /**
   * This computer, for one application. Reads files, and on Windows and macOS runs commands of the system, which can take some
   * seconds: not for a UI thread.
   *
   * @param application names the application; once it is shipped, it must stay the same
   * @return the machine with its id, host name, system and kind
   * @throws IOException if this system has no id of its own, or lets this program not read it. The message has the next step
   */
  public static Machine of(String application) throws IOException {
    return of(application, new SystemProbe.ThisSystem());
  }

  static Machine of(String application, SystemProbe system) throws IOException {
    Objects.requireNonNull(application, "application");
    String id = hash(application, systemId(system));
    Optional<String> os = Texts.shown(system.system() + " " + System.getProperty("os.version", ""));
    return new Machine(id, hostName(system), os, Optional.of(new MachineKindProbe(system).kind()));
  }

  static String hash(String application, String systemId) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(systemId.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
      byte[] hash = mac.doFinal(("soleseat:" + application).getBytes(StandardCharsets.UTF_8)); // [machine-id]
      return HexFormat.of().formatHex(hash).substring(0, DIGITS);
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("every Java has HmacSHA256", impossible);
    }
  }

  private static String systemId(SystemProbe system) throws IOException {
    Optional<String> found =
        switch (system.system()) {
          case "darwin" -> search(system.run("ioreg", "-rd1", "-c", "IOPlatformExpertDevice"), MAC);
          case "win32" -> windowsId(system);
          default -> linuxId(system);
        };
    String next =
        switch (system.system()) {
          case "darwin" -> "may this program run ioreg?";
          case "win32" ->
              "may this program read MachineGuid under HKLM\\" + CRYPTOGRAPHY + ", by reg.exe or PowerShell?";
          default -> "run `systemd-machine-id-setup` or `dbus-uuidgen --ensure`.";
        };
    return found.orElseThrow(
        () ->
            new IOException(
                "this system has no machine id: " + next + " Or give Machine.of() an id of your own that never changes"));
  }

  /** The same value by either way; only where neither may look, the id of the firmware, which is another one. */
  private static Optional<String> windowsId(SystemProbe system) {
    String root = Objects.requireNonNullElse(system.environment("SystemRoot"), "C:\\Windows");
    return byRegistry(system, "reg")
        // PATH does not always lead to the system's own folder.
        .or(() -> byRegistry(system, root + "\\System32\\reg.exe"))
        .or(() -> search(powershell(system, "(Get-ItemProperty 'HKLM:\\" + CRYPTOGRAPHY + "').MachineGuid"), GUID))
        .or(() -> search(powershell(system, "(Get-CimInstance Win32_ComputerSystemProduct).UUID"), FIRMWARE));
  }

  private static Optional<String> byRegistry(SystemProbe system, String reg) {
    return search(system.run(reg, "query", "HKLM\\" + CRYPTOGRAPHY, "/v", "MachineGuid", "/reg:64"), REGISTRY);
  }

  static Optional<String> powershell(SystemProbe system, String script) {
    return system.run("powershell.exe", "-NoProfile", "-NonInteractive", "-Command", script);
  }

  private static Optional<String> linuxId(SystemProbe system) {
    return search(system.text("/etc/machine-id"), LINUX)
        .or(() -> search(system.text("/var/lib/dbus/machine-id"), LINUX));
  }

  private static Optional<String> search(Optional<String> output, Pattern form) {
    return output.map(form::matcher).filter(Matcher::find).map(found -> found.group(1));
  }

  private static Optional<String> hostName(SystemProbe system) {
    Optional<String> name =
        switch (system.system()) {
          case "win32" -> Optional.ofNullable(system.environment("COMPUTERNAME"));
          case "darwin" -> system.run("hostname");
          default -> system.text("/proc/sys/kernel/hostname");
        };
    return name.flatMap(Texts::shown).or(MachineId::resolvedName);
  }

  private static Optional<String> resolvedName() {
    try {
      return Texts.shown(InetAddress.getLocalHost().getHostName());
    } catch (UnknownHostException nameless) {
      return Optional.empty();
    }
  }
}
