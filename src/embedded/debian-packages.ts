import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, runCommand } from './run-command.js';

const APT_TIMEOUT_MS = 300_000;
const APT_LOCK_SECONDS = 240;
const QUIET: NodeJS.ProcessEnv = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
const SERVICE_POLICY = '/usr/sbin/policy-rc.d';

export type Progress = (line: string) => void;

/** Debian, Ubuntu and their kin: wherever apt and dpkg are. */
export function hasDebianPackages(): boolean {
  return process.platform === 'linux' && ['apt-get', 'apt-cache', 'dpkg'].every(findOnPath);
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Installs packages for the whole machine; needs root. Services that come with them are not started. */
export async function installDebianPackages(
  packages: readonly string[],
  onProgress: Progress,
): Promise<void> {
  onProgress(`installing ${packages.join(', ')} with apt-get`);
  // A stale or partly unreachable package list may still do: only the install decides.
  await apt(['update']).catch((error: Error) => onProgress(`apt-get update failed: ${error.message}`));
  await withoutServices(() => apt(['install', '-y', '--no-install-recommends', ...packages]));
}

/**
 * Unpacks packages, and the shared libraries that they need, under a folder; needs no root.
 * The C library is left out: it must be the one of the machine's own loader.
 */
export async function unpackDebianPackages(
  packages: readonly string[],
  into: string,
  onProgress: Progress,
): Promise<void> {
  const work = `${into}.${process.pid}`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(join(work, 'debs'), { recursive: true });
  try {
    onProgress(`downloading ${packages.join(', ')} to unpack without root`);
    await downloadWithLibraries(packages, work, onProgress);
    for (const file of readdirSync(join(work, 'debs')).filter((name) => name.endsWith('.deb'))) {
      await runCommand('dpkg', ['-x', join(work, 'debs', file), join(work, 'root')], {
        timeoutMs: APT_TIMEOUT_MS,
      });
    }
    rmSync(into, { recursive: true, force: true });
    renameSync(join(work, 'root'), into);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The machine's own package lists first; where they are missing or stale, lists of our own. */
async function downloadWithLibraries(
  packages: readonly string[],
  work: string,
  onProgress: Progress,
): Promise<void> {
  try {
    await download(packages, work, []);
  } catch {
    onProgress('the package lists are missing or old: fetching them');
    const lists = join(work, 'lists');
    const archives = join(work, 'archives');
    for (const folder of [lists, archives]) mkdirSync(join(folder, 'partial'), { recursive: true });
    const ownFolders = [
      `Dir::State::lists=${lists}`,
      `Dir::Cache=${work}`,
      `Dir::Cache::archives=${archives}`,
    ];
    const options = ownFolders.flatMap((setting) => ['-o', setting]);
    await apt([...options, 'update'], work);
    await download(packages, work, options);
  }
}

async function download(
  packages: readonly string[],
  work: string,
  options: readonly string[],
): Promise<void> {
  const libraries = await sharedLibrariesOf(packages, options);
  await apt([...options, 'download', ...packages, ...libraries], join(work, 'debs'));
}

async function sharedLibrariesOf(packages: readonly string[], options: readonly string[]): Promise<string[]> {
  const only = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map(
    (kind) => `--no-${kind}`,
  );
  const args = [...options, 'depends', '--recurse', ...only, ...packages];
  const needs = parseDepends(await runCommand('apt-cache', args, { env: QUIET, timeoutMs: APT_TIMEOUT_MS }));
  const found = new Set<string>();
  const waiting = [...packages];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    for (const needed of needs.get(name) ?? []) {
      const isLibrary = needed.startsWith('lib') && !/^libc6(-|$)/.test(needed);
      if (!isLibrary || found.has(needed)) continue;
      found.add(needed);
      waiting.push(needed);
    }
  }
  return [...found];
}

/** Of alternatives (`|Depends: a`, then `Depends: b`) the first one counts. */
export function parseDepends(output: string): Map<string, string[]> {
  const needs = new Map<string, string[]>();
  let current: string[] = [];
  let isAlternative = false;
  for (const line of output.split('\n')) {
    const dependency = /^ ([ |])(?:Pre)?Depends: (\S+)$/.exec(line);
    if (dependency) {
      if (!isAlternative && !dependency[2]?.startsWith('<')) current.push(dependency[2] ?? '');
      isAlternative = dependency[1] === '|';
    } else if (/^\S/.test(line)) {
      current = [];
      isAlternative = false;
      needs.set(line.trim(), current);
    }
  }
  return needs;
}

function apt(args: readonly string[], cwd?: string): Promise<string> {
  const place = cwd === undefined ? {} : { cwd };
  // The system may be installing something else.
  const lock = `DPkg::Lock::Timeout=${APT_LOCK_SECONDS}`;
  return runCommand('apt-get', ['-q', '-o', lock, ...args], {
    env: QUIET,
    timeoutMs: APT_TIMEOUT_MS,
    ...place,
  });
}

/** Debian starts a service as it is installed, unless this file forbids it. */
async function withoutServices(install: () => Promise<unknown>): Promise<void> {
  const isOurs = !existsSync(SERVICE_POLICY);
  if (isOurs) writeFileSync(SERVICE_POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await install();
  } finally {
    if (isOurs) rmSync(SERVICE_POLICY, { force: true });
  }
}
