package io.soleseat.client;

import java.util.Optional;
import java.util.regex.Pattern;

/** Finds out what kind of computer this is, by what systems are known to leave behind. */
record MachineKindProbe(SystemProbe system) {
  private static final Pattern CONTAINER_GROUPS = Pattern.compile("docker|kubepods|containerd|libpod|lxc");
  private static final Pattern WSL = Pattern.compile("microsoft.*wsl2", Pattern.CASE_INSENSITIVE);
  /** Some clouds and QEMU show only in the maker's name: the product is then "m5.large" or "Standard PC". */
  private static final Pattern VIRTUAL_PRODUCTS =
      Pattern.compile(
          "virtual|vmware|kvm|qemu|xen|bochs|hvm|parallels|amazon ec2|google compute engine|openstack|droplet",
          Pattern.CASE_INSENSITIVE);

  MachineKind kind() {
    if (system.environment("KUBERNETES_SERVICE_HOST") != null || system.exists("/.dockerenv"))
      return MachineKind.CONTAINER;
    // Toolbox and Distrobox are a shell for the machine's own user: its id, its home, its network.
    boolean isShell = system.exists("/run/.toolboxenv") || system.environment("DISTROBOX_ENTER_PATH") != null;
    if (system.exists("/run/.containerenv") && !isShell) return MachineKind.CONTAINER;
    String manager = system.text("/run/systemd/container").orElse("");
    // systemd calls the Windows Subsystem for Linux a container; it is a virtual machine with an id that stays.
    if (manager.strip().equals("wsl")) return MachineKind.VIRTUAL;
    if (!manager.isEmpty() && !isShell) return MachineKind.CONTAINER;
    String groups = system.text("/proc/1/cgroup").orElse("");
    if (CONTAINER_GROUPS.matcher(groups).find() && !isShell) return MachineKind.CONTAINER;
    String kernel = system.text("/proc/sys/kernel/osrelease").orElse("");
    if (WSL.matcher(kernel).find()) return MachineKind.VIRTUAL;
    return VIRTUAL_PRODUCTS.matcher(product()).find() ? MachineKind.VIRTUAL : MachineKind.PHYSICAL;
  }

  private String product() {
    return switch (system.system()) {
      case "darwin" -> system.run("sysctl", "-n", "hw.model").orElse("");
      case "win32" -> windowsProduct().orElse("");
      default ->
          system.text("/sys/class/dmi/id/sys_vendor").orElse("")
              + " "
              + system.text("/sys/class/dmi/id/product_name").orElse("");
    };
  }

  private Optional<String> windowsProduct() {
    String bios = "HKLM\\HARDWARE\\DESCRIPTION\\System\\BIOS";
    return system
        .run("reg", "query", bios, "/v", "SystemProductName")
        .or(() -> MachineId.powershell(system, "(Get-CimInstance Win32_ComputerSystem).Model"));
  }
}
