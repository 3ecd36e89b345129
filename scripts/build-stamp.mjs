import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from './steps.mjs';

const stampFile = join(root, 'dist', '.soleseat-build');

export function isBuildFresh() {
  const isThere = existsSync(stampFile) && existsSync(join(root, 'packages', 'client', 'dist', 'cjs'));
  return isThere && readFileSync(stampFile, 'utf8') === sourcesHash();
}

export function stampBuild(hash) {
  writeFileSync(stampFile, hash);
}

/** Contents, not times: a checkout touches files that it does not change. */
export function sourcesHash() {
  const hash = createHash('sha256');
  const client = join('packages', 'client');
  const sources = ['src', join(client, 'src')].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  const settings = [
    'tsconfig.json',
    join(client, 'tsconfig.json'),
    join(client, 'tsconfig.cjs.json'),
    'package-lock.json',
    'scripts/build.mjs',
    'scripts/console.mjs',
  ].map((file) => join(root, file));
  for (const file of [...settings, ...sources.sort()]) {
    hash
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  return hash.digest('hex');
}
