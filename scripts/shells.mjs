import { join } from 'node:path';
import { run } from './steps.mjs';
import { debianPackages, firstFound, obtainBy, record, recorded, toolsFolder } from './tools.mjs';

const folder = join(toolsFolder, 'shells');
const WHAT_TO_DO = 'Install fish and zsh by hand, then try again.';

/** Tests ask the completion scripts in the shells that they are for; bash is everywhere. */
export async function prepareShells(steps) {
  const found = await firstFound([recorded('shells'), { fish: 'fish', zsh: 'zsh' }], checkShells);
  if (found) {
    record('shells', found);
    return steps.upToDate('fish and zsh are there');
  }
  const obtain = async (onProgress) => obtainBy(await waysToObtain(), checkShells, onProgress);
  record('shells', await steps.step('getting fish and zsh', WHAT_TO_DO, obtain));
}

async function waysToObtain() {
  const debian = await debianPackages();
  async function installWithApt(onProgress) {
    await debian.installDebianPackages(['fish', 'zsh'], onProgress);
    return { fish: 'fish', zsh: 'zsh' };
  }
  async function unpackWithDpkg(onProgress) {
    await debian.unpackDebianPackages(['fish', 'fish-common', 'zsh', 'zsh-common'], folder, onProgress);
    return { fish: join(folder, 'usr', 'bin', 'fish'), zsh: join(folder, 'bin', 'zsh') };
  }
  if (!debian.hasDebianPackages()) return [];
  return debian.isRoot() ? [installWithApt, unpackWithDpkg] : [unpackWithDpkg];
}

async function checkShells(shells) {
  await run(shells.fish, ['-c', 'complete -C "ls "']);
  await run(shells.zsh, ['-f', '-c', 'echo']);
  return shells;
}
