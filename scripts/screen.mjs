import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './steps.mjs';
import { debianPackages, firstFound, obtainBy, record, recorded, toolsFolder } from './tools.mjs';

const folder = join(toolsFolder, 'screen');
const SYSTEM_XVFB = '/usr/bin/Xvfb';
const WHAT_TO_DO = 'Install Xvfb by hand (on Debian: apt-get install xvfb), then try again.';

/** Tests open the windows of the example programs on a screen of their own, which nobody sees: Xvfb. */
export async function prepareScreen(steps) {
  const known = recorded('screen');
  if (known && (known.path === null || existsSync(known.path))) return steps.upToDate('a screen is there');
  if (process.platform !== 'linux') {
    record('screen', { path: null });
    return steps.upToDate('windows are opened on the screen of this computer');
  }
  const found = await firstFound([{ path: SYSTEM_XVFB }, { path: '/usr/local/bin/Xvfb' }], check);
  const obtain = async (onProgress) => obtainBy(await waysToObtain(), check, onProgress);
  record('screen', found ?? (await steps.step('getting a screen (Xvfb)', WHAT_TO_DO, obtain)));
}

/**
 * Starts a screen and gives its name for DISPLAY, and a function that ends it. Where windows are opened on the screen of this computer,
 * the name is the one that it has.
 */
export async function startScreen({ path, args = [], libraries } = recorded('screen'), size = '1280x960x24') {
  if (path === null) return { display: process.env.DISPLAY ?? '', stop: () => {} };
  const env = libraries ? { ...process.env, LD_LIBRARY_PATH: libraries } : process.env;
  const options = ['-displayfd', '3', '-screen', '0', size, '-nolisten', 'tcp', ...args];
  const server = spawn(path, options, { env, stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
  let said = '';
  server.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  const number = await Promise.race([
    // Xvfb chooses a number that is free, and writes it as soon as programs may open windows.
    once(server.stdio[3], 'data').then(([data]) => String(data).trim()),
    once(server, 'exit').then(([code]) => Promise.reject(new Error(`${said}(${path} ended with ${code})`))),
    once(server, 'error').then(([error]) => Promise.reject(error)),
  ]);
  return { display: `:${number}`, stop: () => server.kill() };
}

async function waysToObtain() {
  const debian = await debianPackages();

  async function installWithApt(onProgress) {
    await debian.installDebianPackages(['xvfb'], onProgress);
    return { path: SYSTEM_XVFB };
  }
  /** It needs `xkbcomp` of the machine, which every desktop has: Xvfb looks for it in /usr/bin only. */
  async function unpackWithDpkg(onProgress) {
    await debian.unpackDebianPackages(['xvfb', 'xkb-data'], folder, onProgress);
    const libraries = await librariesIn(folder);
    const args = ['-xkbdir', join(folder, 'usr', 'share', 'X11', 'xkb')];
    return { path: join(folder, 'usr', 'bin', 'Xvfb'), args, libraries };
  }

  const ways = [];
  if (debian.hasDebianPackages() && debian.isRoot()) ways.push(installWithApt);
  if (debian.hasDebianPackages()) ways.push(unpackWithDpkg);
  return ways;
}

/** The folders of shared libraries under a folder of unpacked packages, as LD_LIBRARY_PATH wants them. */
export async function librariesIn(root) {
  const found = await run('find', [root, '-name', '*.so*', '-printf', '%h\\n']);
  return [...new Set(found.trim().split('\n'))].join(':');
}

async function check(screen) {
  const { stop } = await startScreen(screen);
  stop();
  return screen;
}
