import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { hostname, platform, release } from 'node:os';
import { promisify } from 'node:util';
import type { MachineKind } from './protocol/messages.js';

/** What the helper needs of the system, so that a test can be another system. */
export interface SystemProbe {
  readonly platform: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Rejects when there is no such file. */
  readText(path: string): Promise<string>;
  exists(path: string): Promise<boolean>;
  /** A command's output. Rejects when it fails. */
  run(command: string, args: readonly string[]): Promise<string>;
}

export interface MachineIdentity {
  readonly id: string;
  readonly kind: MachineKind;
  readonly os: string;
  readonly name: string;
}

const runFile = promisify(execFile);

const thisSystem: SystemProbe = {
  platform: platform(),
  environment: process.env,
  readText: (path) => readFile(path, 'utf8'),
  exists: (path) =>
    access(path).then(
      () => true,
      () => false,
    ),
  run: async (command, args) => (await runFile(command, [...args])).stdout,
};

/**
 * The `machine` to give to `connect`: the same at every start on one computer, other for each application.
 * The id is an HMAC of the application's name under the system's own id, so that it does not leak that id
 * (as machine-id(5) asks). Rejects, with the next step, where the system has no id of its own.
 */
export async function machineId(
  options: { readonly application: string },
  system: SystemProbe = thisSystem,
): Promise<MachineIdentity> {
  const systemId = await readSystemId(system);
  const id = createHmac('sha256', systemId)
    .update(`soleseat:${options.application}`) // [machine-id]
    .digest('hex')
    .slice(0, 32);
  return { id, kind: await kindOf(system), os: `${system.platform} ${release()}`, name: hostname() };
}

async function readSystemId(system: SystemProbe): Promise<string> {
  const found = await (system.platform === 'darwin'
    ? search(system.run('ioreg', ['-rd1', '-c', 'IOPlatformExpertDevice']), /"IOPlatformUUID" = "([^"]+)"/)
    : system.platform === 'win32'
      ? windowsId(system)
      : linuxId(system));
  if (found !== null) return found;
  const next =
    system.platform === 'win32'
      ? 'may this program read MachineGuid under HKLM\\SOFTWARE\\Microsoft\\Cryptography, by reg.exe or PowerShell?'
      : system.platform === 'darwin'
        ? 'may this program run ioreg?'
        : 'run `systemd-machine-id-setup` or `dbus-uuidgen --ensure`.';
  throw new Error(
    `this system has no machine id: ${next} Or give connect() a machine.id of your own that never changes`,
  );
}

const cryptography = 'SOFTWARE\\Microsoft\\Cryptography';

/** The same value by either way; only where neither may look, the id of the firmware, which is another one. */
async function windowsId(system: SystemProbe): Promise<string | null> {
  const query = ['query', `HKLM\\${cryptography}`, '/v', 'MachineGuid', '/reg:64'];
  const root = system.environment.SystemRoot ?? 'C:\\Windows';
  // Last, where PATH does not lead to the system's own folder.
  const regs = ['reg', `${root}\\System32\\reg.exe`];
  for (const reg of regs) {
    const id = await search(system.run(reg, query), /MachineGuid\s+REG_SZ\s+(\S+)/);
    if (id !== null) return id;
  }
  return (
    (await search(powershell(system, `(Get-ItemProperty 'HKLM:\\${cryptography}').MachineGuid`), guid)) ??
    (await search(powershell(system, '(Get-CimInstance Win32_ComputerSystemProduct).UUID'), firmwareId))
  );
}

const guid = /^\s*([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s*$/i;
/** Some makers left it at zeros or Fs: then it is no machine's own. */
const firmwareId = /^\s*(?!0{8}-|f{8}-)([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s*$/i;

function powershell(system: SystemProbe, script: string): Promise<string> {
  return system.run('powershell.exe', ['-NoProfile', '-NonInteractive', '-Command', script]);
}

async function linuxId(system: SystemProbe): Promise<string | null> {
  for (const path of ['/etc/machine-id', '/var/lib/dbus/machine-id']) {
    const id = await search(system.readText(path), /^([0-9a-f]{32})\s*$/);
    if (id !== null) return id;
  }
  return null;
}

function search(output: Promise<string>, form: RegExp): Promise<string | null> {
  return output.then(
    (text) => form.exec(text)?.[1] ?? null,
    () => null,
  );
}

async function kindOf(system: SystemProbe): Promise<MachineKind> {
  if (system.environment.KUBERNETES_SERVICE_HOST !== undefined) return 'container';
  if (await system.exists('/.dockerenv')) return 'container';
  // Toolbox and Distrobox are a shell for the machine's own user: its id, its home, its network.
  const isShell =
    (await system.exists('/run/.toolboxenv')) || system.environment.DISTROBOX_ENTER_PATH !== undefined;
  if ((await system.exists('/run/.containerenv')) && !isShell) return 'container';
  const manager = await system.readText('/run/systemd/container').catch(() => '');
  // systemd calls the Windows Subsystem for Linux a container; it is a virtual machine with an id that stays.
  if (manager.trim() === 'wsl') return 'virtual';
  if (manager !== '' && !isShell) return 'container';
  const kernel = await system.readText('/proc/sys/kernel/osrelease').catch(() => '');
  const groups = await system.readText('/proc/1/cgroup').catch(() => '');
  if (/docker|kubepods|containerd|libpod|lxc/.test(groups) && !isShell) return 'container';
  if (/microsoft.*wsl2/i.test(kernel)) return 'virtual';
  return virtualProducts.test(await productOf(system)) ? 'virtual' : 'physical';
}

/** Some clouds and QEMU show only in the maker's name: the product is then "m5.large" or "Standard PC". */
const virtualProducts =
  /virtual|vmware|kvm|qemu|xen|bochs|hvm|parallels|amazon ec2|google compute engine|openstack|droplet/i;

async function productOf(system: SystemProbe): Promise<string> {
  const bios = 'HKLM\\HARDWARE\\DESCRIPTION\\System\\BIOS';
  const sources =
    system.platform === 'darwin'
      ? [system.run('sysctl', ['-n', 'hw.model'])]
      : system.platform === 'win32'
        ? [
            system
              .run('reg', ['query', bios, '/v', 'SystemProductName'])
              .catch(() => powershell(system, '(Get-CimInstance Win32_ComputerSystem).Model')),
          ]
        : ['sys_vendor', 'product_name'].map((name) => system.readText(`/sys/class/dmi/id/${name}`));
  const texts = await Promise.all(sources.map((source) => source.catch(() => '')));
  return texts.join(' ');
}
