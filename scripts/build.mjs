import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { sourcesHash, stampBuild } from './build-stamp.mjs';
import { buildConsole } from './console.mjs';
import { fail, root } from './steps.mjs';

const consoleFolder = join(root, 'src', 'console');

await build().catch(fail);

async function build() {
  const hash = sourcesHash();
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  compile('tsconfig.json');
  // Checked only: Vite compiles the console, and looks at no types.
  compile(join('src', 'console', 'tsconfig.json'));
  copyRest();
  await buildConsole();
  const command = join(root, 'dist', 'cli', 'main.js');
  if (existsSync(command)) chmodSync(command, 0o755);
  stampBuild(hash);
}

function compile(project) {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', project], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`${project} does not compile`);
}

/** The compiler leaves the Lua scripts behind, which the store loads from beside itself. */
function copyRest() {
  for (const entry of readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith('.ts')) continue;
    const source = join(entry.parentPath, entry.name);
    if (source.startsWith(consoleFolder)) continue;
    const target = join(root, 'dist', relative(join(root, 'src'), source));
    mkdirSync(dirname(target), { recursive: true });
    cpSync(source, target);
  }
}
