import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './steps.mjs';
import { debianPackages, firstFound, obtainBy, record, recorded, toolsFolder } from './tools.mjs';

const SYSTEM_PYTHON = '/usr/bin/python3';

/** Tests drive the broker with a foreign client and with the Python library: a Python 3 that has the `websockets` module. */
export function preparePython(steps) {
  return prepareModule(steps, {
    name: 'python',
    module: 'websockets',
    debian: ['python3-websockets'],
    whatToDo:
      'Install Python 3 and its websockets module by hand (python3 -m pip install websockets), then try again.',
  });
}

/** The types of the Python library are checked by mypy. */
export function prepareMypy(steps) {
  return prepareModule(steps, {
    name: 'mypy',
    module: 'mypy',
    debian: ['python3-mypy', 'python3-mypy-extensions', 'python3-typing-extensions'],
    whatToDo: 'Install mypy by hand (python3 -m pip install mypy), then try again.',
  });
}

/** A Python 3 that can import a module. */
async function prepareModule(steps, { name, module, debian, whatToDo }) {
  const check = (candidate) => checkModule(candidate, module);
  const found = await firstFound([recorded(name), { path: 'python3' }, { path: SYSTEM_PYTHON }], check);
  if (found) {
    record(name, found);
    return steps.upToDate(`Python with ${module} is there: ${found.path}`);
  }
  const obtain = async (onProgress) => obtainBy(await waysToObtain(module, debian), check, onProgress);
  record(name, await steps.step(`getting a Python with ${module}`, whatToDo, obtain));
}

async function waysToObtain(module, packages) {
  const debian = await debianPackages();
  const folder = join(toolsFolder, 'python', module);

  async function installWithApt(onProgress) {
    await debian.installDebianPackages(['python3', ...packages], onProgress);
    return { path: SYSTEM_PYTHON };
  }
  async function unpackWithDpkg(onProgress) {
    await debian.unpackDebianPackages(packages, folder, onProgress);
    const pythonPath = join(folder, 'usr', 'lib', 'python3', 'dist-packages');
    return { path: existsSync(SYSTEM_PYTHON) ? SYSTEM_PYTHON : 'python3', pythonPath };
  }
  async function installWithPip(onProgress) {
    onProgress(`installing ${module} with pip`);
    await run('python3', ['-m', 'pip', 'install', '--quiet', '--target', folder, module]);
    return { path: 'python3', pythonPath: folder };
  }

  const ways = [];
  if (debian.hasDebianPackages() && debian.isRoot()) ways.push(installWithApt);
  if (debian.hasDebianPackages()) ways.push(unpackWithDpkg);
  return [...ways, installWithPip];
}

async function checkModule({ path, pythonPath }, module) {
  const env = pythonPath ? { PYTHONPATH: pythonPath } : {};
  const output = await run(path, ['-c', `import sys, ${module}; print(sys.executable)`], { env });
  return pythonPath ? { path: output.trim(), pythonPath } : { path: output.trim() };
}
