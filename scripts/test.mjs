import { join } from 'node:path';
import { setup } from './setup.mjs';
import { createSteps, fail, root, run, seconds } from './steps.mjs';
import { runVitest } from './vitest.mjs';

const started = performance.now();
const isAll = process.argv.includes('--all');
const args = process.argv.slice(2).filter((one) => one !== '--all');
if (isAll) process.env.TESTS = 'all';

await setup({ forTests: true })
  .then(test)
  .then(() => console.log(`All passed in ${seconds(started)}.`), fail);

async function test() {
  const { step } = createSteps();
  if (args.length === 0) {
    const packages = join(root, 'node_modules');
    const biome = [join(packages, '@biomejs', 'biome', 'bin', 'biome'), 'check', '.'];
    const compiler = join(packages, 'typescript', 'bin', 'tsc');
    const projects = [join('test', 'tsconfig.json'), join('src', 'console', 'tsconfig.json')];
    await step('lint and format (biome)', 'npm run format mends most of it.', () =>
      run(process.execPath, biome),
    );
    await step('types (tsc)', 'Mend what the compiler names above.', async () => {
      for (const project of projects) await run(process.execPath, [compiler, '-p', project]);
    });
  }
  await step('tests (vitest)', 'npm test -- <file> runs one file alone.', () => runVitest(args));
}
