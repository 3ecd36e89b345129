"""The id of this computer: the same in every client library (clients/machine-id-vectors.json)."""

from __future__ import annotations

import hashlib
import hmac
import os
import platform
import re
import socket
import subprocess
import sys
from typing import Mapping, Optional, Sequence

from ._options import Machine

_CRYPTOGRAPHY = r"SOFTWARE\Microsoft\Cryptography"
_GUID = r"\s*([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s*"
#: Some makers left the firmware's id at zeros or Fs: then it is no machine's own.
_FIRMWARE_ID = r"\s*(?!0{8}-|f{8}-)([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s*"
#: Some clouds and QEMU show only in the maker's name: the product is then "m5.large" or "Standard PC".
_VIRTUAL = re.compile(
    "virtual|vmware|kvm|qemu|xen|bochs|hvm|parallels|amazon ec2|google compute engine|openstack|droplet",
    re.IGNORECASE | re.ASCII,
)


class MachineIdUnavailable(Exception):
    """This system has no id of its own. The message names the next step."""


class System:
    """What is asked of the system. A test can be another system."""

    platform = sys.platform
    environment: Mapping[str, str] = os.environ

    def read_text(self, path: str) -> str:
        """Raises OSError where there is no such file."""
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            return file.read()

    def exists(self, path: str) -> bool:
        return os.path.exists(path)

    def run(self, command: str, *args: str) -> str:
        """A command's output. Raises OSError or subprocess.SubprocessError where it fails."""
        # A program with a window must not flash a console.
        no_window = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        done = subprocess.run(
            [command, *args],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            creationflags=no_window,
        )
        return done.stdout.decode("utf-8", "replace")


def machine_id(application: str, system: Optional[System] = None) -> Machine:
    """The `machine` for a client: the same at every start on one computer, and other for each application.

    The id is an HMAC of the application's name under the system's own id, so it does not give that one away. On Linux it
    reads a few files; on macOS and Windows it runs a command, which takes up to a second.

    :param application: the name of the program, the same for ever, such as `com.example.drawing`.
    :raises MachineIdUnavailable: where the system has no id of its own.
    """
    asked = System() if system is None else system
    key = _system_id(asked).encode()
    digest = hmac.new(key, f"soleseat:{application}".encode(), hashlib.sha256).hexdigest()  # [machine-id]
    release = platform.version() if sys.platform == "win32" else platform.release()
    return Machine(digest[:32], socket.gethostname(), f"{asked.platform} {release}", _kind(asked))


def _system_id(system: System) -> str:
    if system.platform == "darwin":
        output = _run(system, "ioreg", "-rd1", "-c", "IOPlatformExpertDevice")
        found, next_step = _search(r'"IOPlatformUUID" = "([^"]+)"', output), "may this program run ioreg?"
    elif system.platform == "win32":
        found = _windows_id(system)
        next_step = (
            f"may this program read MachineGuid under HKLM\\{_CRYPTOGRAPHY}, by reg.exe or PowerShell?"
        )
    else:
        found, next_step = _linux_id(system), "run `systemd-machine-id-setup` or `dbus-uuidgen --ensure`."
    if found is None:
        raise MachineIdUnavailable(
            f"this system has no machine id: {next_step} Or give the client a Machine with an id of your own that"
            " never changes"
        )
    return found


def _windows_id(system: System) -> Optional[str]:
    """The same value by either way. Only where neither may look, the id of the firmware, which is another one."""
    query = ("query", f"HKLM\\{_CRYPTOGRAPHY}", "/v", "MachineGuid", "/reg:64")
    root = system.environment.get("SystemRoot", "C:\\Windows")
    # The full path is for where PATH does not lead to the system's own folder.
    for reg in ("reg", f"{root}\\System32\\reg.exe"):
        found = _search(r"MachineGuid\s+REG_SZ\s+(\S+)", _run(system, reg, *query))
        if found is not None:
            return found
    registry = _powershell(system, f"(Get-ItemProperty 'HKLM:\\{_CRYPTOGRAPHY}').MachineGuid")
    found = _match(_GUID, registry)
    if found is not None:
        return found
    return _match(_FIRMWARE_ID, _powershell(system, "(Get-CimInstance Win32_ComputerSystemProduct).UUID"))


def _linux_id(system: System) -> Optional[str]:
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        found = re.fullmatch(r"([0-9a-f]{32})\s*", _read(system, path) or "")
        if found is not None:
            return found[1]
    return None


def _kind(system: System) -> str:
    environment = system.environment
    if "KUBERNETES_SERVICE_HOST" in environment or system.exists("/.dockerenv"):
        return "container"
    # Toolbox and Distrobox are a shell for the machine's own user: its id, its home, its network.
    is_shell = system.exists("/run/.toolboxenv") or "DISTROBOX_ENTER_PATH" in environment
    if system.exists("/run/.containerenv") and not is_shell:
        return "container"
    manager = _read(system, "/run/systemd/container") or ""
    # systemd calls the Windows Subsystem for Linux a container; it is a virtual machine with an id that stays.
    if manager.strip() == "wsl":
        return "virtual"
    groups = _read(system, "/proc/1/cgroup") or ""
    in_group = re.search("docker|kubepods|containerd|libpod|lxc", groups) is not None
    if (manager != "" or in_group) and not is_shell:
        return "container"
    kernel = _read(system, "/proc/sys/kernel/osrelease") or ""
    if re.search("microsoft.*wsl2", kernel, re.IGNORECASE):
        return "virtual"
    return "virtual" if _VIRTUAL.search(_product(system)) else "physical"


def _product(system: System) -> str:
    texts: Sequence[Optional[str]]
    if system.platform == "darwin":
        texts = [_run(system, "sysctl", "-n", "hw.model")]
    elif system.platform == "win32":
        bios = "HKLM\\HARDWARE\\DESCRIPTION\\System\\BIOS"
        product = _run(system, "reg", "query", bios, "/v", "SystemProductName")
        if product is None:
            product = _powershell(system, "(Get-CimInstance Win32_ComputerSystem).Model")
        texts = [product]
    else:
        texts = [_read(system, f"/sys/class/dmi/id/{name}") for name in ("sys_vendor", "product_name")]
    return " ".join(text or "" for text in texts)


def _powershell(system: System, script: str) -> Optional[str]:
    return _run(system, "powershell.exe", "-NoProfile", "-NonInteractive", "-Command", script)


def _run(system: System, command: str, *args: str) -> Optional[str]:
    try:
        return system.run(command, *args)
    except (OSError, subprocess.SubprocessError):
        return None


def _read(system: System, path: str) -> Optional[str]:
    try:
        return system.read_text(path)
    except OSError:
        return None


def _search(form: str, text: Optional[str]) -> Optional[str]:
    found = re.search(form, text or "")
    return None if found is None else found[1]


def _match(form: str, text: Optional[str]) -> Optional[str]:
    found = re.fullmatch(form, text or "", re.IGNORECASE | re.ASCII)
    return None if found is None else found[1]
