import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseSettings } from '../../src/base/parse-settings.js';
import { settingsTable } from '../../src/base/settings.js';
import { pickFreePort } from '../../src/embedded/redis-probe.js';
import { findOnPath } from '../../src/embedded/run-command.js';
import { ended } from '../support/command.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { SECRET } from '../support/node.js';
import { useRedis } from '../support/redis.js';
import { readUnit, UnitReplay } from '../support/systemd.js';

const root = resolve(import.meta.dirname, '..', '..');
const folder = join(root, 'deploy', 'systemd');
const file = join(folder, 'soleseat.service');
const unit = readUnit(file);
const one = (name: string) => unit.get(name)?.join(' ') ?? '';
const redis = useRedis();

/** The files of /etc/soleseat, and the unit's commands at work with them. */
function replay(
  ports: { readonly public: number; readonly admin: number },
  more: Record<string, string> = {},
) {
  const place = mkdtempSync(join(tmpdir(), 'soleseat-unit-'));
  onTestFinished(() => rmSync(place, { recursive: true, force: true }));
  // Its owner is root, and the node's user must get through.
  chmodSync(place, 0o755);
  const etc = join(place, 'etc');
  mkdirSync(etc);
  writeFileSync(join(etc, 'soleseat.env'), readFileSync(join(folder, 'soleseat.env')));
  writeFileSync(join(etc, 'jwt-secret'), `${SECRET}\n`, { mode: 0o600 });
  writeFileSync(join(etc, 'redis-url'), `${redis.url}\n`, { mode: 0o600 });
  const texts = {
    SOLESEAT_HOST: '127.0.0.1',
    SOLESEAT_PORT: String(ports.public),
    SOLESEAT_ADMIN_PORT: String(ports.admin),
    SOLESEAT_LICENSE_MODE: 'open',
    ...more,
  };
  const places = { '/etc/soleseat': etc, '/opt/soleseat': root, '/usr/bin/node': process.execPath };
  return { place, etc, started: new UnitReplay({ unit, folder: place, places, more: texts }) };
}

async function isReady(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
}

describe('the unit for systemd', () => {
  it('starts a node without rights, reads it anew, and drains it: a seat is taken and told to move', async () => {
    const ports = { public: await pickFreePort(), admin: await pickFreePort() };
    const { started } = replay(ports, { SOLESEAT_DRAIN_MS: '200' });
    const child = started.start();
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    let log = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    await eventually(() => {
      if (child.exitCode !== null) throw new Error(log);
      return isReady(ports.admin);
    });
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    if (started.isOther) expect(status).toMatch(/^Uid:\s65534\s65534/m);
    expect(status).toMatch(/^Umask:\s0077$/m);
    const desktop = await Desktop.hello(ports.public, 'ada', 'pc');
    await desktop.told('welcome');
    expect(started.reload()).toBe(0);
    await eventually('it has been read anew', () => /read anew/.test(log));
    expect(desktop.closed).toBeNull();
    started.stop();
    await desktop.told('draining');
    expect((await desktop.close()).code).toBe(1012);
    const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode];
    expect(code).toBe(0);
  });

  it('does not start a node over and over whose settings cannot be used', async () => {
    const ports = { public: await pickFreePort(), admin: await pickFreePort() };
    const { started } = replay(ports, { SOLESEAT_LEASE_TTL_MS: 'long' });
    const { code } = await ended(started.start());
    expect(one('Service.RestartPreventExitStatus').split(' ')).toContain(String(code));
    expect(one('Service.Restart')).toBe('always');
  });

  it('gives a drain its time, and room for the files of all connections', () => {
    const neededMs = Number(settingsTable.drainMs.default) + 15_000;
    expect(Number(one('Service.TimeoutStopSec')) * 1000).toBeGreaterThan(neededMs);
    expect(Number(one('Service.LimitNOFILE'))).toBeGreaterThanOrEqual(100_000);
    expect(one('Service.KillMode')).toBe('mixed');
  });

  it('starts after Redis where that is on the same machine, and does not need it', () => {
    expect(one('Unit.After').split(' ')).toEqual(
      expect.arrayContaining(['network-online.target', 'redis-server.service']),
    );
    expect([unit.get('Unit.Requires'), unit.get('Unit.BindsTo')]).toEqual([undefined, undefined]);
  });

  it('comes with settings that can be used', () => {
    const texts = readFileSync(join(folder, 'soleseat.env'), 'utf8')
      .split('\n')
      .filter((line) => /^#?SOLESEAT_\w+=/.test(line))
      .map((line) => line.replace(/^#/, '').split('='));
    const known = Object.values(settingsTable).map(({ name }): string => name);
    expect(texts.filter(([name = '']) => !known.includes(name))).toEqual([]);
    const plain = Object.fromEntries(texts.filter(([, value]) => !value?.startsWith('/')));
    const secrets = { REDIS_URL: 'redis://127.0.0.1', SOLESEAT_JWT_SECRET: SECRET };
    expect(parseSettings({ ...plain, ...secrets })).toMatchObject({ ok: true });
  });

  it('is hardened', () => {
    const wanted = {
      NoNewPrivileges: 'yes',
      CapabilityBoundingSet: '',
      ProtectSystem: 'strict',
      ProtectHome: 'yes',
      PrivateTmp: 'yes',
      PrivateDevices: 'yes',
      RestrictNamespaces: 'yes',
      LockPersonality: 'yes',
      SystemCallArchitectures: 'native',
    };
    for (const [name, value] of Object.entries(wanted))
      expect(unit.get(`Service.${name}`), name).toEqual([value]);
    // V8 compiles at run time.
    expect(unit.has('Service.MemoryDenyWriteExecute')).toBe(false);
    expect(statSync(file).mode & 0o111).toBe(0);
  });
});

const analyze = findOnPath('systemd-analyze');
describe.each(analyze === undefined ? [] : [analyze])('%s', (program) => {
  it('finds nothing wrong with the unit, and little exposed', async () => {
    const place = mkdtempSync(join(tmpdir(), 'soleseat-unit-'));
    onTestFinished(() => rmSync(place, { recursive: true, force: true }));
    const here = join(place, 'soleseat.service');
    // It looks for the program, which is elsewhere on this machine.
    writeFileSync(here, readFileSync(file, 'utf8').replaceAll('/usr/bin/node', process.execPath));
    const run = async (args: readonly string[]) => {
      const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
      const { code, out, err } = await ended(child);
      return { code, said: out + err };
    };
    expect(await run(['verify', '--man=no', here])).toEqual({ code: 0, said: '' });
    const [, version] = /^systemd (\d+)/.exec((await run(['--version'])).said) ?? [];
    const exposed =
      Number(version) >= 250 ? await run(['security', '--offline=true', '--threshold=20', here]) : null;
    expect(exposed?.code ?? 0, exposed?.said).toBe(0);
  });
});
