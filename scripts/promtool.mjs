import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './steps.mjs';
import { debianPackages, firstFound, obtainBy, record, recorded, toolsFolder } from './tools.mjs';

const folder = join(toolsFolder, 'promtool');
const WHAT_TO_DO =
  'Put promtool on the PATH by hand (it comes with Prometheus: https://prometheus.io/download), then try again.';

/** Tests check metrics and alert rules with promtool, which is part of Prometheus. */
export async function preparePromtool(steps) {
  const found = await firstFound([recorded('promtool'), { path: 'promtool' }], check);
  if (found) {
    record('promtool', found);
    return steps.upToDate(`promtool is there: ${found.path}`);
  }
  record('promtool', await steps.step('getting promtool', WHAT_TO_DO, obtainPromtool));
}

async function obtainPromtool(onProgress) {
  const debian = await debianPackages();

  async function unpackWithDpkg() {
    await debian.unpackDebianPackages(['prometheus'], folder, onProgress);
    // The package holds a whole Prometheus, of which this one file is needed.
    const path = join(toolsFolder, 'bin', 'promtool');
    mkdirSync(dirname(path), { recursive: true });
    renameSync(join(folder, 'usr', 'bin', 'promtool'), path);
    rmSync(folder, { recursive: true });
    return { path };
  }
  async function installWithApt() {
    await debian.installDebianPackages(['prometheus'], onProgress);
    return { path: 'promtool' };
  }

  // Unpacked first, even by root: installed, the package would bring a service that starts with the machine.
  const ways = debian.hasDebianPackages() ? [unpackWithDpkg] : [];
  if (debian.hasDebianPackages() && debian.isRoot()) ways.push(installWithApt);
  return obtainBy(ways, check, onProgress);
}

async function check({ path }) {
  await run(path, ['--version']);
  return { path };
}
