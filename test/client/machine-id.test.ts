import { describe, expect, it } from 'vitest';
import { machineId, type SystemProbe } from '../../src/client/machine-id.js';

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

  it('is a container by its marks, its control group or its cluster', async () => {
    expect(await kindWith({ '/.dockerenv': '' })).toBe('container');
    expect(await kindWith({ '/run/.containerenv': '' })).toBe('container');
    expect(await kindWith({ '/proc/1/cgroup': '0::/kubepods/besteffort/pod1' })).toBe('container');
    expect(await kindWith({}, { KUBERNETES_SERVICE_HOST: '10.0.0.1' })).toBe('container');
  });
});
