import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './steps.mjs';
import { debianPackages, firstFound, obtainBy, record, recorded, toolsFolder } from './tools.mjs';

const folder = join(toolsFolder, 'python');
const SYSTEM_PYTHON = '/usr/bin/python3';
const WHAT_TO_DO =
  'Install Python 3 and its websockets module by hand (python3 -m pip install websockets), then try again.';

/** Tests drive the broker with a foreign client too: a Python 3 that has the `websockets` module. */
export async function preparePython(steps) {
  const found = await firstFound([recorded('python'), { path: 'python3' }, { path: SYSTEM_PYTHON }], check);
  if (found) {
    record('python', found);
    return steps.upToDate(`Python with websockets is there: ${found.path}`);
  }
  const obtain = async (onProgress) => obtainBy(await waysToObtain(), check, onProgress);
  record('python', await steps.step('getting a Python with websockets', WHAT_TO_DO, obtain));
}

async function waysToObtain() {
  const debian = await debianPackages();

  async function installWithApt(onProgress) {
    await debian.installDebianPackages(['python3', 'python3-websockets'], onProgress);
    return { path: SYSTEM_PYTHON };
  }
  async function unpackWithDpkg(onProgress) {
    await debian.unpackDebianPackages(['python3-websockets'], folder, onProgress);
    const pythonPath = join(folder, 'usr', 'lib', 'python3', 'dist-packages');
    return { path: existsSync(SYSTEM_PYTHON) ? SYSTEM_PYTHON : 'python3', pythonPath };
  }
  async function installWithPip(onProgress) {
    onProgress('installing websockets with pip');
    await run('python3', ['-m', 'pip', 'install', '--quiet', '--target', folder, 'websockets']);
    return { path: 'python3', pythonPath: folder };
  }

  const ways = [];
  if (debian.hasDebianPackages() && debian.isRoot()) ways.push(installWithApt);
  if (debian.hasDebianPackages()) ways.push(unpackWithDpkg);
  return [...ways, installWithPip];
}

async function check({ path, pythonPath }) {
  const env = pythonPath ? { PYTHONPATH: pythonPath } : {};
  const output = await run(path, ['-c', 'import sys, websockets; print(sys.executable)'], { env });
  return pythonPath ? { path: output.trim(), pythonPath } : { path: output.trim() };
}
