import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './steps.mjs';

/** Where programs that only the tests need are unpacked, and where it is recorded which ones were found. */
export const toolsFolder = join(root, '.soleseat');

/** How Debian packages are had: from the build, which can do so for redis-server too. */
export function debianPackages() {
  return import(pathToFileURL(join(root, 'dist', 'embedded', 'debian-packages.js')).href);
}

/** The first candidate that passes the check, undefined when none does. */
export async function firstFound(candidates, check) {
  for (const candidate of candidates) {
    if (!candidate) continue;
    const found = await check(candidate).catch(() => undefined);
    if (found) return found;
  }
  return undefined;
}

/** Goes through named ways to get a tool until one of them gives one that passes the check. */
export async function obtainBy(ways, check, onProgress) {
  const failures = [];
  for (const obtain of ways) {
    try {
      return await check(await obtain(onProgress));
    } catch (error) {
      failures.push(`- ${obtain.name}: ${error.message}`);
      onProgress(`${obtain.name} did not work`);
    }
  }
  throw new Error(failures.join('\n') || 'there is no known way to get it on this system');
}

/** What was found last time under that name, undefined when nothing was. */
export function recorded(name) {
  try {
    return JSON.parse(readFileSync(join(toolsFolder, `${name}.json`), 'utf8'));
  } catch {
    return undefined;
  }
}

export function record(name, tool) {
  mkdirSync(toolsFolder, { recursive: true });
  writeFileSync(join(toolsFolder, `${name}.json`), `${JSON.stringify(tool)}\n`);
}
