import { run } from './steps.mjs';
import { debianPackages, firstFound, obtainBy, record, recorded } from './tools.mjs';

const WHAT_TO_DO = 'Put docker-compose on the PATH by hand, then try again; or leave out "npm run test:all".';

/** `npm run test:all` has Docker Compose read deploy/compose/compose.yaml. It needs no Docker for that. */
export async function prepareCompose(steps) {
  const ways = [recorded('compose'), { command: ['docker-compose'] }, { command: ['docker', 'compose'] }];
  const found = await firstFound(ways, check);
  if (found) {
    record('compose', found);
    return steps.upToDate(`Docker Compose is there: ${found.command.join(' ')}`);
  }
  record('compose', await steps.step('getting Docker Compose', WHAT_TO_DO, obtain));
}

async function obtain(onProgress) {
  const debian = await debianPackages();
  async function installWithApt() {
    await debian.installDebianPackages(['docker-compose'], onProgress);
    return { command: ['docker-compose'] };
  }
  return obtainBy(debian.hasDebianPackages() && debian.isRoot() ? [installWithApt] : [], check, onProgress);
}

async function check(tool) {
  const [program, ...args] = tool.command;
  await run(program, [...args, 'version']);
  return tool;
}
