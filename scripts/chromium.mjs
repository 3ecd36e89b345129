import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './steps.mjs';
import { debianPackages, firstFound, obtainBy, record, recorded, toolsFolder } from './tools.mjs';

const folder = join(toolsFolder, 'chromium');
const SYSTEM_CHROMIUM = '/usr/bin/chromium';
/** Where other systems put it, and Chrome, which drives alike. */
const otherPlaces = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];
const WHAT_TO_DO =
  'Put chromium on the PATH by hand (apt-get install chromium, or the browser of your system), then try again.';

/** Tests drive the web console in a real browser. */
export async function prepareChromium(steps) {
  const candidates = [
    recorded('chromium'),
    { path: SYSTEM_CHROMIUM },
    ...otherPlaces.map((path) => ({ path })),
  ];
  const found = await firstFound(candidates, check);
  if (found) {
    record('chromium', found);
    return steps.upToDate(`Chromium is there: ${found.path}`);
  }
  const obtain = async (onProgress) => obtainBy(await waysToObtain(), check, onProgress);
  record('chromium', await steps.step('getting Chromium', WHAT_TO_DO, obtain));
}

async function waysToObtain() {
  const debian = await debianPackages();

  async function installWithApt(onProgress) {
    await debian.installDebianPackages(['chromium'], onProgress);
    return { path: SYSTEM_CHROMIUM };
  }
  async function unpackWithDpkg(onProgress) {
    await debian.unpackDebianPackages(
      ['chromium', 'chromium-common', 'fonts-dejavu-core'],
      folder,
      onProgress,
    );
    return { path: join(folder, 'usr', 'lib', 'chromium', 'chromium'), libraries: librariesIn(folder) };
  }

  const ways = [];
  if (debian.hasDebianPackages() && debian.isRoot()) ways.push(installWithApt);
  if (debian.hasDebianPackages()) ways.push(unpackWithDpkg);
  return ways;
}

/** Shared libraries that were unpacked beside it are found by the loader only when it is told. */
function librariesIn(root) {
  const machine = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch];
  const folders = ['usr/lib', 'lib'].map((path) => join(root, path, machine ?? ''));
  return [...folders, join(folders[0], 'pulseaudio')].filter((path) => existsSync(path));
}

async function check(chromium) {
  const { path, libraries = [] } = chromium;
  const env = libraries.length > 0 ? { LD_LIBRARY_PATH: libraries.join(':') } : {};
  await run(path, ['--version'], { env });
  return chromium;
}
