import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { sourcesHash, stampBuild } from './build-stamp.mjs';
import { buildConsole } from './console.mjs';
import { fail, root } from './steps.mjs';

const consoleFolder = join(root, 'src', 'console');

await build().catch(fail);

async function build() {
  const hash = sourcesHash();
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  // First, as the broker imports its tables of the protocol.
  buildClient();
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

/** The client library, for those who import it and for those who require it. */
function buildClient() {
  const client = join(root, 'packages', 'client');
  rmSync(join(client, 'dist'), { recursive: true, force: true });
  compile(client);
  compile(join(client, 'tsconfig.cjs.json'));
  for (const [form, type] of Object.entries({ esm: 'module', cjs: 'commonjs' }))
    writeFileSync(
      join(client, 'dist', form, 'package.json'),
      `${JSON.stringify({ type, sideEffects: false })}\n`,
    );
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
