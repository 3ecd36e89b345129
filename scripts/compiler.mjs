import { run } from './steps.mjs';
import { debianPackages, firstFound, obtainBy, record, recorded } from './tools.mjs';

const WHAT_TO_DO = 'Install a C compiler by hand (Debian and Ubuntu: gcc and libc6-dev), then try again.';

/** Tests of failovers set the clocks of real Redis servers, with a small library that is compiled for it. */
export async function prepareCompiler(steps) {
  const found = await firstFound([recorded('compiler'), { path: 'cc' }], check);
  if (found) {
    record('compiler', found);
    return steps.upToDate(`a C compiler is there: ${found.path}`);
  }
  const obtain = async (onProgress) => obtainBy(await waysToObtain(), check, onProgress);
  record('compiler', await steps.step('getting a C compiler', WHAT_TO_DO, obtain));
}

async function waysToObtain() {
  const debian = await debianPackages();
  async function installWithApt(onProgress) {
    await debian.installDebianPackages(['gcc', 'libc6-dev'], onProgress);
    return { path: 'cc' };
  }
  return debian.hasDebianPackages() && debian.isRoot() ? [installWithApt] : [];
}

async function check({ path }) {
  await run(path, ['--version']);
  return { path };
}
