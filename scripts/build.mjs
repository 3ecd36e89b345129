import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { sourcesHash, stampBuild } from './build-stamp.mjs';
import { root } from './steps.mjs';

process.exitCode = build();

function build() {
  const hash = sourcesHash();
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.json'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) return status ?? 1;
  copyRest();
  const command = join(root, 'dist', 'cli', 'main.js');
  if (existsSync(command)) chmodSync(command, 0o755);
  stampBuild(hash);
  return 0;
}

/** The compiler leaves the Lua scripts behind, which the store loads from beside itself. */
function copyRest() {
  for (const entry of readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith('.ts')) continue;
    const source = join(entry.parentPath, entry.name);
    const target = join(root, 'dist', relative(join(root, 'src'), source));
    mkdirSync(dirname(target), { recursive: true });
    cpSync(source, target);
  }
}
