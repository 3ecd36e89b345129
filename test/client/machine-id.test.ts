import { describe, expect, it } from 'vitest';
import { machineId, type SystemProbe } from '../../packages/client/src/machine-id.js';

const systemId = '0123456789abcdef0123456789abcdef';
const linuxFiles = {
  '/etc/machine-id': `${systemId}\n`,
  '/sys/class/dmi/id/product_name': 'OptiPlex 7090\n',
};
const application = 'drawing';

type Texts = Readonly<Record<string, string>>;

function probe(
  platform: NodeJS.Platform,
  files: Texts,
  outputs: Texts = {},
  environment: Texts = {},
): SystemProbe {
  const look = (texts: Texts, name: string) => {
    const text = texts[name];
    return text === undefined ? Promise.reject(new Error('not there')) : Promise.resolve(text);
  };
  return {
    platform,
    environment,
    readText: (path) => look(files, path),
    exists: async (path) => files[path] !== undefined,
    run: (command) => look(outputs, command),
  };
}

async function kindWith(files: Texts, environment: Texts = {}): Promise<string> {
  return (await machineId({ application }, probe('linux', { ...linuxFiles, ...files }, {}, environment)))
    .kind;
}

describe('the machine id', () => {
  it('is the same at every start, other for each application, and not the id of the system', async () => {
    const system = probe('linux', linuxFiles);
    const { id } = await machineId({ application }, system);
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect((await machineId({ application }, system)).id).toBe(id);
    expect((await machineId({ application: 'other' }, system)).id).not.toBe(id);
    expect(id).not.toBe(systemId);
  });

  it('is frozen: HMAC-SHA256 of "soleseat:" and the application, under the system id, cut to 32 digits', async () => {
    // printf soleseat:drawing | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
    const { id } = await machineId({ application }, probe('linux', linuxFiles));
    expect(id).toBe('244a59a075fb60fd0fd997ec4d5b9524');
  });

  it('comes from D-Bus where systemd has not written its own yet', async () => {
    const files = { '/etc/machine-id': 'uninitialized\n', '/var/lib/dbus/machine-id': systemId };
    const { id } = await machineId({ application }, probe('linux', files));
    expect(id).toBe((await machineId({ application }, probe('linux', linuxFiles))).id);
  });

  it('is found on macOS and on Windows', async () => {
    const uuid = '6F4E1D2C-3B4A-5C6D-7E8F-90A1B2C3D4E5';
    const mac = probe('darwin', {}, { ioreg: `    "IOPlatformUUID" = "${uuid}"\n`, sysctl: 'Mac14,2\n' });
    const windows = probe('win32', {}, { reg: `    MachineGuid    REG_SZ    ${uuid}\r\n` });
    const ids = [await machineId({ application }, mac), await machineId({ application }, windows)];
    expect(ids[0]?.id).toBe(ids[1]?.id);
    expect(ids.map(({ kind }) => kind)).toEqual(['physical', 'physical']);
  });

  it('fails with the next step where the system has none', async () => {
    await expect(machineId({ application }, probe('linux', {}))).rejects.toThrow(/systemd-machine-id-setup/);
  });
});

describe('on a Windows that does not let everybody look', () => {
  const uuid = '6F4E1D2C-3B4A-5C6D-7E8F-90A1B2C3D4E5';
  const firmware = '4C4C4544-0051-3010-8056-B7C04F4D4B33';
  /** Runs what its outputs name by the command, or by a word of the script. */
  const windows = (outputs: Texts, environment: Texts = {}): SystemProbe => ({
    ...probe('win32', {}, {}, environment),
    run: (command, args) => {
      const key = Object.keys(outputs).find((name) => [command, ...args].some((one) => one.includes(name)));
      return key === undefined
        ? Promise.reject(new Error('not allowed'))
        : Promise.resolve(outputs[key] ?? '');
    },
  });
  const idOf = async (outputs: Texts, environment: Texts = {}) =>
    (await machineId({ application }, windows(outputs, environment))).id;

  it('is the same by reg.exe, by its full path and by PowerShell', async () => {
    const line = `\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Cryptography\r\n    MachineGuid    REG_SZ    ${uuid}\r\n\r\n`;
    const byReg = await idOf({ reg: line });
    expect(await idOf({ 'D:\\Windows\\System32\\reg.exe': line }, { SystemRoot: 'D:\\Windows' })).toBe(byReg);
    expect(await idOf({ 'Get-ItemProperty': `${uuid}\r\n` })).toBe(byReg);
  });

  it('is that of the firmware at last, unless the maker left it empty', async () => {
    expect(await idOf({ Win32_ComputerSystemProduct: `${firmware}\r\n` })).toMatch(/^[0-9a-f]{32}$/);
    for (const empty of ['00000000-0000-0000-0000-000000000000', 'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF', ''])
      await expect(idOf({ Win32_ComputerSystemProduct: empty })).rejects.toThrow('MachineGuid');
  });

  it('fails with a next step for Windows', async () => {
    await expect(idOf({})).rejects.toThrow(/reg\.exe or PowerShell/);
  });

  it('knows a virtual machine without reg.exe too', async () => {
    const outputs = { 'Get-ItemProperty': uuid, 'Win32_ComputerSystem)': 'VMware20,1\r\n' };
    expect((await machineId({ application }, windows(outputs))).kind).toBe('virtual');
  });
});

describe('the kind of machine', () => {
  it('is physical where nothing says otherwise', async () => {
    expect(await kindWith({})).toBe('physical');
  });

  it.each([
    ['QEMU', 'Standard PC (Q35 + ICH9, 2009)'],
    ['Amazon EC2', 'm5.large'],
    ['VMware, Inc.', 'VMware20,1'],
    ['Microsoft Corporation', 'Virtual Machine'],
    ['Google', 'Google Compute Engine'],
  ])('is virtual on %s %s', async (vendor, product) => {
    const firmware = {
      '/sys/class/dmi/id/sys_vendor': vendor,
      '/sys/class/dmi/id/product_name': product,
    };
    expect(await kindWith(firmware)).toBe('virtual');
  });

  it.each([
    ['with systemd', { '/run/systemd/container': 'wsl\n' }],
    [
      'without systemd',
      { '/proc/sys/kernel/osrelease': '5.15.167.4-microsoft-standard-WSL2\n', '/proc/1/cgroup': '0::/\n' },
    ],
  ])('is virtual under WSL2 %s, and a container for Docker there', async (_, files) => {
    expect(await kindWith(files)).toBe('virtual');
    expect(await kindWith({ ...files, '/.dockerenv': '' })).toBe('container');
  });

  it('is that of the machine in Toolbox and Distrobox, which share its id', async () => {
    const podman = { '/run/.containerenv': 'engine="podman-4.9.4"\n', '/proc/1/cgroup': '0::/../libpod-1\n' };
    expect(await kindWith({ ...podman, '/run/.toolboxenv': '' })).toBe('physical');
    expect(await kindWith(podman, { DISTROBOX_ENTER_PATH: '/usr/bin/distrobox-enter' })).toBe('physical');
    expect(await kindWith(podman)).toBe('container');
    expect(await kindWith({ '/run/systemd/container': 'systemd-nspawn' })).toBe('container');
  });

  it('is a container by its marks, its control group or its cluster', async () => {
    expect(await kindWith({ '/.dockerenv': '' })).toBe('container');
    expect(await kindWith({ '/run/.containerenv': '' })).toBe('container');
    expect(await kindWith({ '/proc/1/cgroup': '0::/kubepods/besteffort/pod1' })).toBe('container');
    expect(await kindWith({}, { KUBERNETES_SERVICE_HOST: '10.0.0.1' })).toBe('container');
  });
});
