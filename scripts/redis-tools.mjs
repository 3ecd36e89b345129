import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, run } from './steps.mjs';
import { debianPackages, firstFound, obtainBy, record, recorded, toolsFolder } from './tools.mjs';

const folder = join(toolsFolder, 'redis-tools');
const WHAT_TO_DO = 'Install redis-cli and redis-check-rdb by hand (they come with Redis), then try again.';
const names = [
  { cli: 'redis-cli', check: 'redis-check-rdb' },
  { cli: 'valkey-cli', check: 'valkey-check-rdb' },
];

/** Tests of backup and restore run the scripts of deploy/redis, which need two programs that come with Redis. */
export async function prepareRedisTools(steps) {
  const found = await firstFound([recorded('redis-tools'), ...names, ...(await besideServer())], check);
  if (found) {
    record('redis-tools', found);
    return steps.upToDate(`redis-cli is there: ${found.cli}`);
  }
  record('redis-tools', await steps.step('getting redis-cli', WHAT_TO_DO, obtainTools));
}

async function besideServer() {
  const { findRedis } = await import(pathToFileURL(join(root, 'dist', 'embedded', 'find-redis.js')).href);
  const server = await findRedis();
  return server === undefined ? [] : names.map((pair) => within(dirname(server), pair));
}

async function obtainTools(onProgress) {
  const debian = await debianPackages();

  async function installWithApt() {
    await debian.installDebianPackages(['redis-tools'], onProgress);
    return names[0];
  }
  async function unpackWithDpkg() {
    await debian.unpackDebianPackages(['redis-tools'], folder, onProgress);
    return within(join(folder, 'usr', 'bin'), names[0]);
  }

  const ways = debian.hasDebianPackages() ? [unpackWithDpkg] : [];
  if (debian.hasDebianPackages() && debian.isRoot()) ways.unshift(installWithApt);
  return obtainBy(ways, check, onProgress);
}

function within(place, { cli, check }) {
  return { cli: join(place, cli), check: join(place, check) };
}

/** Both are run once. Without a file the second tells its usage, and ends with 1. */
async function check(tools) {
  await run(tools.cli, ['--version']);
  const said = await run(tools.check, []).catch((error) => error.message);
  if (!/usage/i.test(said)) throw new Error(`${tools.check} does not tell its usage`);
  return tools;
}
