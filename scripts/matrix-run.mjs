import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DebianRoot } from './debian-root.mjs';
import { kinds } from './matrix-rows.mjs';
import { proxyVersions } from './proxies.mjs';
import { root, run } from './steps.mjs';
import { debianPackages, recorded, toolsFolder } from './tools.mjs';
import { runVitest } from './vitest.mjs';

const work = join(toolsFolder, 'matrix');

/**
 * Runs the files with one version, and gives what MatrixResults keeps. A version that cannot be had is told in `missing`:
 * it does not keep the others from their turn.
 */
export async function runRow(kind, row, files, onProgress) {
  let found;
  try {
    found = await obtain(kind, row, onProgress);
  } catch (error) {
    const missing = error.message.trim().split('\n').at(-1);
    onProgress(`it cannot be had: ${missing}`);
    return { version: '', missing };
  }
  onProgress(`version ${found.version}`);
  return { version: found.version, files: await runFiles(files, found) };
}

/** The version, and what tells the tests to use it: variables of the environment and options of vitest. */
async function obtain(kind, row, onProgress) {
  if (kind === 'proxies') {
    const version = (await proxyVersions())[row.proxy];
    // The name is in the title of what runs only with that proxy.
    return { version, env: { TESTS: 'all' }, args: ['-t', `behind ${row.proxy}`] };
  }
  const path = row.suite === null ? await pathHere(kind) : await pathInRoot(row, onProgress);
  const { args, form } = kinds[kind].version;
  const said = await run(path, args);
  const version = form.exec(said)?.[1];
  if (version === undefined) throw new Error(`its version is unknown: ${said}`);
  if (kind === 'redis') return { version, env: { TESTS_REDIS: path }, args: [] };
  mkdirSync(work, { recursive: true });
  if (row.suite === null) return { version, env: {}, args: [] };
  const pythonPath = await modulesOfMachine(row, onProgress);
  writeFileSync(join(work, `${kind}.json`), JSON.stringify({ path, pythonPath }));
  return { version, env: { TESTS_TOOLS: work }, args: [] };
}

async function pathHere(kind) {
  if (kind !== 'redis') return recorded(kind).path;
  const { findRedis } = await import(pathToFileURL(join(root, 'dist', 'embedded', 'find-redis.js')).href);
  return findRedis();
}

async function pathInRoot(row, onProgress) {
  const debian = await DebianRoot.prepare(row.suite, onProgress);
  const packages = row.packages ?? [await newestOf(debian, row.newest)];
  await debian.install(packages, onProgress);
  return debian.launcher(row.program);
}

/** Python modules of this machine's suite for the Python of another one: their sources run there too. */
async function modulesOfMachine({ modulesOfMachine: packages }, onProgress) {
  if (packages === undefined) return undefined;
  const debian = await debianPackages();
  const folder = join(work, 'python-modules');
  await debian.unpackDebianPackages(packages, folder, onProgress);
  return join(folder, 'usr', 'lib', 'python3', 'dist-packages');
}

/** The package whose name has the highest number in it. */
async function newestOf(debian, form) {
  const names = (await debian.run('apt-cache', ['pkgnames'])).split('\n');
  const found = names.flatMap((name) => (form.test(name) ? [[Number(form.exec(name)[1]), name]] : []));
  found.sort(([a], [b]) => b - a);
  if (found.length === 0) throw new Error(`no package is called like ${form}`);
  return found[0][1];
}

async function runFiles(files, { env, args }) {
  // Two runs at a time do not read each other's.
  const report = join(work, `report-${process.pid}.json`);
  mkdirSync(work, { recursive: true });
  rmSync(report, { force: true });
  const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${report}`];
  const failed = await runVitest([...files, ...args, ...reporters], process.execPath, env).catch(
    (error) => error,
  );
  return readReport(report, failed);
}

/** What each file gave, out of the report of vitest. */
function readReport(report, failed) {
  let told;
  try {
    told = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    throw failed ?? new Error('vitest wrote no report');
  }
  const date = new Date().toISOString().slice(0, 10);
  const given = told.testResults.map(({ name, status, message, assertionResults }) => {
    const failures = assertionResults.filter((one) => one.status === 'failed').map((one) => one.fullName);
    // A file may fail as a whole, before any of its tests.
    if (status === 'failed' && failures.length === 0) failures.push(message || 'the file could not be run');
    const passed = assertionResults.filter((one) => one.status === 'passed').length;
    return [relative(root, name).replaceAll('\\', '/'), { passed, failures, date }];
  });
  return Object.fromEntries(given);
}
