import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import {
  hasDebianPackages,
  installDebianPackages,
  isRoot,
  type Progress,
  unpackDebianPackages,
} from './debian-packages.js';
import { findOnPath, runCommand } from './run-command.js';

const DEFAULT_CACHE = resolve(import.meta.dirname, '..', '..', '.soleseat', 'redis');
const OLDEST_VERSION = [6, 2] as const;
const WHAT_TO_DO =
  'Install redis-server (6.2 or newer) by hand, or set SOLESEAT_REDIS_SERVER to its file, ' +
  'or run "soleseat serve" with the REDIS_URL of a Redis elsewhere.';

export interface ProvisionOptions {
  /** Holds the copy that was made where the machine has no redis-server of its own. */
  readonly cacheDir?: string;
  readonly onProgress?: Progress;
}

/** Finds a real redis-server, and gets one where there is none. */
export async function provisionRedis(options: ProvisionOptions = {}): Promise<{ path: string }> {
  const cacheDir = resolve(options.cacheDir ?? DEFAULT_CACHE);
  const onProgress = options.onProgress ?? (() => {});
  const path = (await findRedis({ cacheDir, onProgress })) ?? (await obtainRedis(cacheDir, onProgress));
  return { path };
}

/** The redis-server that is there already: the one chosen, the machine's, or the copy made before. */
export async function findRedis(options: ProvisionOptions = {}): Promise<string | undefined> {
  const chosen = process.env.SOLESEAT_REDIS_SERVER;
  if (chosen) {
    return checkRedis(chosen).catch((error: Error) => {
      throw new Error(`SOLESEAT_REDIS_SERVER=${chosen} is of no use: ${error.message}\n${WHAT_TO_DO}`);
    });
  }
  const cached = readCache(options.cacheDir ?? DEFAULT_CACHE);
  for (const path of [findOnPath('redis-server'), findOnPath('valkey-server'), cached]) {
    if (path === undefined) continue;
    try {
      return await checkRedis(path);
    } catch (error) {
      options.onProgress?.(`passing over ${path}: ${(error as Error).message}`);
    }
  }
  return undefined;
}

async function obtainRedis(cacheDir: string, onProgress: Progress): Promise<string> {
  const failures: string[] = [];
  for (const [name, obtain] of waysToObtain()) {
    try {
      const path = await checkRedis(await obtain(cacheDir, onProgress));
      writeCache(cacheDir, path);
      onProgress(`redis-server is ready: ${path}`);
      return path;
    } catch (error) {
      failures.push(`- ${name}: ${(error as Error).message}`);
      onProgress(`${name} did not work`);
    }
  }
  throw new Error(`No redis-server was found, and none could be had.\n${failures.join('\n')}\n${WHAT_TO_DO}`);
}

type Obtain = (cacheDir: string, onProgress: Progress) => Promise<string>;

function waysToObtain(): [string, Obtain][] {
  const ways: [string, Obtain][] = [];
  if (hasDebianPackages() && isRoot()) ways.push(['apt-get install', installRedis]);
  if (hasDebianPackages()) ways.push(['unpacking the Debian packages', unpackRedis]);
  ways.push(['building from source', buildRedis]);
  return ways;
}

async function installRedis(_cacheDir: string, onProgress: Progress): Promise<string> {
  await installDebianPackages(['redis-server'], onProgress);
  // Soleseat runs its own child: the machine's service would only be in the way after the next boot.
  if (findOnPath('systemctl')) await runCommand('systemctl', ['disable', 'redis-server']).catch(() => {});
  const path = findOnPath('redis-server');
  if (!path) throw new Error('redis-server is not on the PATH after its installation');
  return path;
}

/** Makes a self-contained copy, with a launcher that points the loader to its libraries. */
export async function unpackRedis(cacheDir: string, onProgress: Progress): Promise<string> {
  mkdirSync(cacheDir, { recursive: true });
  const root = join(cacheDir, 'unpacked');
  await unpackDebianPackages(['redis-server', 'redis-tools'], root, onProgress);
  const libraryPath = libraryFolders(root)
    .map((folder) => `$here/${folder}`)
    .join(':');
  const launcher = join(root, 'redis-server');
  const lines = [
    '#!/bin/sh',
    'here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)',
    `export LD_LIBRARY_PATH="${libraryPath}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"`,
    'exec "$here/usr/bin/redis-server" "$@"',
  ];
  writeFileSync(launcher, `${lines.join('\n')}\n`);
  chmodSync(launcher, 0o755);
  return checkRedis(launcher);
}

function libraryFolders(root: string): string[] {
  const libraries = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.so(\.\d+)+$/.test(file),
  );
  return [...new Set(libraries.map((file) => dirname(file)))];
}

async function buildRedis(cacheDir: string, onProgress: Progress): Promise<string> {
  onProgress('building Redis from source: this takes some minutes, a C compiler and make');
  const downloadDir = join(cacheDir, 'build');
  const { RedisBinary } = await import('redis-memory-server');
  try {
    return await RedisBinary.getPath({ downloadDir, systemBinary: '' });
  } catch (error) {
    // Its lock outlives a failure and would hold up the next attempt for two minutes.
    rmSync(join(downloadDir, 'stable.lock'), { force: true });
    throw error;
  }
}

async function checkRedis(path: string): Promise<string> {
  const output = await runCommand(path, ['--version'], { timeoutMs: 10_000 });
  const version = /server v=(\d+)\.(\d+)/.exec(output);
  if (!version)
    throw new Error(`its --version does not look like a Redis server: ${output.trim().slice(0, 100)}`);
  const [major, minor] = [Number(version[1]), Number(version[2])];
  const isNewEnough =
    major > OLDEST_VERSION[0] || (major === OLDEST_VERSION[0] && minor >= OLDEST_VERSION[1]);
  if (!isNewEnough)
    throw new Error(`its version ${major}.${minor} is older than ${OLDEST_VERSION.join('.')}`);
  return path;
}

function readCache(cacheDir: string): string | undefined {
  try {
    const { path } = JSON.parse(readFileSync(join(cacheDir, 'found.json'), 'utf8'));
    return typeof path === 'string' ? resolve(cacheDir, path) : undefined;
  } catch {
    return undefined;
  }
}

function writeCache(cacheDir: string, path: string): void {
  mkdirSync(cacheDir, { recursive: true });
  writeFileSync(join(cacheDir, 'found.json'), `${JSON.stringify({ path })}\n`);
}
