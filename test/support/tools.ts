import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/**
 * The record of a program that only tests need. The set-up of `npm test` writes `.soleseat/<name>.json`. TESTS_TOOLS names
 * a folder with other records: `npm run test:matrix` runs the same tests with other versions through it.
 */
export function toolRecord<T>(name: string): T {
  const folders = [process.env.TESTS_TOOLS, join(root, '.soleseat')];
  const files = folders.flatMap((folder) => (folder ? [join(folder, `${name}.json`)] : []));
  const file = files.find(existsSync) ?? files.at(-1) ?? '';
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}
