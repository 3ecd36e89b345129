import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isBuildFresh } from './build-stamp.mjs';
import { prepareChromium } from './chromium.mjs';
import { prepareCompiler } from './compiler.mjs';
import { prepareCompose } from './compose.mjs';
import { prepareJava } from './java.mjs';
import { prepareJavaWindows } from './java-windows.mjs';
import { preparePromtool } from './promtool.mjs';
import { prepareProxies } from './proxies.mjs';
import { prepareMypy, preparePython } from './python.mjs';
import { prepareRedisTools } from './redis-tools.mjs';
import { prepareScreen } from './screen.mjs';
import { prepareShells } from './shells.mjs';
import { createSteps, fail, npm, root, run } from './steps.mjs';

const OLDEST_NODE = [20, 19];
const lockFile = join(root, 'package-lock.json');
const stampFile = join(root, 'node_modules', '.soleseat-setup');

/** Everything between a fresh clone and a first run. What is in place already is left alone. */
export async function setup({ quiet = false, forTests = false } = {}) {
  const steps = createSteps({ quiet });
  checkNode();
  await installPackages(steps);
  await build(steps);
  await prepareRedis(steps);
  if (!forTests) return;
  await prepareCompiler(steps);
  await preparePython(steps);
  await prepareMypy(steps);
  await prepareJava(steps);
  await preparePromtool(steps);
  await prepareChromium(steps);
  await prepareScreen(steps);
  await prepareRedisTools(steps);
  await prepareShells(steps);
  if (process.env.TESTS !== 'all') return;
  await prepareJavaWindows(steps);
  await prepareProxies(steps);
  await prepareCompose(steps);
}

/** What `npm pack` needs in a fresh clone: the packages and the build, and no Redis. */
export async function preparePackage() {
  const steps = createSteps({ quiet: true });
  checkNode();
  await installPackages(steps);
  await build(steps);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  throw new Error(
    `Soleseat needs Node ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}.\n` +
      '→ Install a newer Node (a version that is still maintained), then try again.',
  );
}

async function installPackages(steps) {
  const wanted = packagesHash();
  if (arePackagesInstalled(wanted)) return steps.upToDate('packages are installed');
  const whatToDo = 'Check that the npm registry can be reached (npm ping), then run "npm ci" to see more.';
  await steps.step('installing packages (npm ci)', whatToDo, () =>
    npm(['ci', '--include=dev', '--ignore-scripts']),
  );
  writeFileSync(stampFile, wanted);
}

function packagesHash() {
  const hash = createHash('sha256').update(readFileSync(lockFile)).digest('hex');
  return `${process.platform}-${process.arch} ${hash}`;
}

function arePackagesInstalled(wanted) {
  if (existsSync(stampFile)) return readFileSync(stampFile, 'utf8') === wanted;
  // Installed by hand: npm's own record is newer than the lock file then.
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record) || statSync(record).mtimeMs < statSync(lockFile).mtimeMs) return false;
  writeFileSync(stampFile, wanted);
  return true;
}

async function build(steps) {
  if (isBuildFresh()) return steps.upToDate('the build is fresh');
  const whatToDo = 'Mend what the compiler names above, then try again.';
  await steps.step('building', whatToDo, () => run(process.execPath, [join(root, 'scripts', 'build.mjs')]));
}

async function prepareRedis(steps) {
  const module = pathToFileURL(join(root, 'dist', 'embedded', 'find-redis.js'));
  const { findRedis, provisionRedis } = await import(module.href);
  const path = await findRedis();
  if (path) return steps.upToDate(`redis-server is there: ${path}`);
  const whatToDo = 'Do as the last sentence above says, then try again.';
  await steps.step('getting a redis-server', whatToDo, (onProgress) => provisionRedis({ onProgress }));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await setup().catch(fail);
