import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setup } from './setup.mjs';
import { fail, root, run } from './steps.mjs';

/** The fuzzer is TypeScript of its own, beside the broker's build: it is compiled whenever it is run. */
async function main() {
  await setup({ quiet: true });
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  await run(process.execPath, [compiler, '-p', join('fuzz', 'tsconfig.json')]);
  const program = join(root, 'fuzz', 'dist', 'fuzz', 'main.js');
  const child = spawn(process.execPath, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('error', fail);
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}

await main().catch(fail);
