import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of the clone: this file runs from its source and from its build. */
export const root = findRoot(import.meta.dirname);
export const dist = join(root, 'dist');
export const clientDist = join(root, 'packages', 'client', 'dist');
/** What the command and the tests leave behind between runs. */
export const workFolder = join(root, '.soleseat');

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('there is no package.json above this file');
  return findRoot(parent);
}
