import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from '../../src/embedded/run-command.js';

const root = join(import.meta.dirname, '..', '..');
const BUILD_TIMEOUT_MS = 170_000;

/**
 * The `main.js` of an older version, built from the repository's history with the packages of today. It is built once, and
 * kept in `.soleseat/versions`.
 */
export async function olderVersion(commit: string): Promise<string> {
  const folder = join(root, '.soleseat', 'versions', commit);
  const main = join(folder, 'dist', 'cli', 'main.js');
  if (existsSync(main)) return main;
  const work = `${folder}.${process.pid}`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  try {
    const archive = join(work, 'sources.tar');
    await runCommand('git', ['archive', '--output', archive, commit], { cwd: root }).catch((error: Error) => {
      throw new Error(
        `this test builds ${commit} from the history: a full clone is needed. ${error.message}`,
      );
    });
    await runCommand('tar', ['-xf', archive, '-C', work]);
    symlinkSync(join(root, 'node_modules'), join(work, 'node_modules'));
    const build = join(work, 'scripts', 'build.mjs');
    await runCommand(process.execPath, [build], { cwd: work, timeoutMs: BUILD_TIMEOUT_MS });
    mkdirSync(dirname(folder), { recursive: true });
    renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return main;
}
