import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './steps.mjs';
import { debianPackages, firstFound, obtainBy, record, recorded, toolsFolder } from './tools.mjs';

const PACKAGES = ['qtbase5-dev', 'qtbase5-dev-tools'];
const MODULES = ['Qt5Core', 'Qt5Network'];
const folder = join(toolsFolder, 'qt');
const WHAT_TO_DO = `Install g++ and Qt 5 by hand (on Debian: apt-get install g++ ${PACKAGES.join(' ')}), then try again.`;

/**
 * The example in C++ needs Qt 5 and its `moc`. The record has `moc`, `compileFlags`, `linkFlags`, and `env` for what was
 * compiled with them.
 */
export async function prepareQt(steps) {
  const found = await firstFound([recorded('qt'), await fromPkgConfig(), await debianLayout('/')], check);
  if (found) {
    record('qt', found);
    return steps.upToDate(`Qt 5 is there: ${found.moc}`);
  }
  const obtain = async (onProgress) => obtainBy(await waysToObtain(), check, onProgress);
  record('qt', await steps.step('getting Qt 5', WHAT_TO_DO, obtain));
}

/** Compiles one C++ file that has its `moc` output at its end. `work` is a folder for that. */
export async function compileQt({ moc, compileFlags, linkFlags, env }, { source, name, program, work }) {
  mkdirSync(work, { recursive: true });
  await run(moc, [source, '-o', join(work, `${name}.moc`)], { env });
  const own = ['-std=c++17', '-Wall', '-Wextra', '-fPIC', '-DSEAT_KIT_PROGRAM', `-I${work}`];
  await run('g++', [...own, ...compileFlags, source, '-o', program, ...linkFlags]);
}

async function waysToObtain() {
  const debian = await debianPackages();

  async function installWithApt(onProgress) {
    await debian.installDebianPackages(['g++', ...PACKAGES], onProgress);
    return debianLayout('/');
  }
  async function unpackWithDpkg(onProgress) {
    await debian.unpackDebianPackages(PACKAGES, folder, onProgress);
    return debianLayout(folder);
  }

  const ways = [];
  if (debian.hasDebianPackages() && debian.isRoot()) ways.push(installWithApt);
  if (debian.hasDebianPackages()) ways.push(unpackWithDpkg);
  return ways;
}

/** Undefined where there is no pkg-config, or none that knows Qt 5. */
async function fromPkgConfig() {
  const ask = async (...args) => (await run('pkg-config', args)).trim().split(/\s+/);
  try {
    const [bin] = await ask('--variable=host_bins', 'Qt5Core');
    const compileFlags = await ask('--cflags', ...MODULES);
    return { moc: join(bin, 'moc'), compileFlags, linkFlags: await ask('--libs', ...MODULES), env: {} };
  } catch {
    return undefined;
  }
}

/** Where Debian's packages put Qt 5, below `/` or where they were unpacked. Undefined without g++. */
async function debianLayout(base) {
  try {
    const machine = (await run('g++', ['-print-multiarch'])).trim();
    const headers = join(base, 'usr', 'include', machine, 'qt5');
    const libraries = join(base, 'usr', 'lib', machine);
    return {
      moc: join(base, 'usr', 'lib', 'qt5', 'bin', 'moc'),
      compileFlags: [headers, join(headers, 'QtCore'), join(headers, 'QtNetwork')].map((path) => `-I${path}`),
      linkFlags: [`-L${libraries}`, `-Wl,-rpath-link,${libraries}`, ...MODULES.map((name) => `-l${name}`)],
      env: base === '/' ? {} : { LD_LIBRARY_PATH: libraries },
    };
  } catch {
    return undefined;
  }
}

async function check(qt) {
  const work = join(toolsFolder, 'qt-probe');
  mkdirSync(work, { recursive: true });
  const [source, program] = [join(work, 'probe.cpp'), join(work, 'probe')];
  writeFileSync(
    source,
    '#include <QSslSocket>\nint main() { return qVersion()[0] == \'5\' ? 0 : 1; }\n#include "probe.moc"\n',
  );
  await compileQt(qt, { source, name: 'probe', program, work });
  await run(program, [], { env: qt.env });
  return qt;
}
