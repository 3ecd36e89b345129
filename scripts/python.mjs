import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, run } from './steps.mjs';

const folder = join(root, '.soleseat', 'python');
const recordFile = join(root, '.soleseat', 'python.json');
const SYSTEM_PYTHON = '/usr/bin/python3';
const WHAT_TO_DO =
  'Install Python 3 and its websockets module by hand (python3 -m pip install websockets), then try again.';

/** Tests drive the broker with a foreign client too: a Python 3 that has the `websockets` module. */
export async function preparePython(steps) {
  const found = await findPython();
  if (found) {
    record(found);
    return steps.upToDate(`Python with websockets is there: ${found.path}`);
  }
  record(await steps.step('getting a Python with websockets', WHAT_TO_DO, obtainPython));
}

async function findPython() {
  for (const candidate of [recorded(), { path: 'python3' }, { path: SYSTEM_PYTHON }]) {
    if (!candidate) continue;
    const found = await check(candidate).catch(() => undefined);
    if (found) return found;
  }
  return undefined;
}

async function obtainPython(onProgress) {
  const failures = [];
  for (const obtain of await waysToObtain()) {
    try {
      return await check(await obtain(onProgress));
    } catch (error) {
      failures.push(`- ${obtain.name}: ${error.message}`);
      onProgress(`${obtain.name} did not work`);
    }
  }
  throw new Error(failures.join('\n'));
}

async function waysToObtain() {
  const module = pathToFileURL(join(root, 'dist', 'embedded', 'debian-packages.js'));
  const debian = await import(module.href);

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

function recorded() {
  try {
    return JSON.parse(readFileSync(recordFile, 'utf8'));
  } catch {
    return undefined;
  }
}

function record(python) {
  mkdirSync(join(root, '.soleseat'), { recursive: true });
  writeFileSync(recordFile, `${JSON.stringify(python)}\n`);
}
