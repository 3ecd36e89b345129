import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setup } from './setup.mjs';
import { fail, root, run } from './steps.mjs';

/** The checker is TypeScript of its own, beside the broker's build: it is compiled whenever it is run. */
async function main() {
  await setup({ quiet: true });
  await run(process.execPath, [
    join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
    '-p',
    join('chaos', 'tsconfig.json'),
  ]);
  const checker = join(root, 'chaos', 'dist', 'chaos', 'main.js');
  const child = spawn(process.execPath, [checker, ...process.argv.slice(2)], { stdio: 'inherit' });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGINT', () => {
    // A terminal sends Ctrl+C to the child as well, and a second one would end it at once.
    if (!process.stdin.isTTY) child.kill('SIGINT');
  });
  child.on('error', fail);
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}

await main().catch(fail);
