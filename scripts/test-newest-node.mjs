import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setup } from './setup.mjs';
import { createSteps, fail, npm, root, run } from './steps.mjs';
import { runVitest } from './vitest.mjs';

await setup({ forTests: true }).then(testOnNewestNode).catch(fail);

async function testOnNewestNode() {
  const { step } = createSteps();
  const registry = 'Check that the npm registry can be reached (npm ping).';
  const node = await step('getting the newest Node', registry, fetchNewestNode);
  const version = (await run(node, ['--version'])).trim();
  await step(`tests on Node ${version}`, 'npm run test:newest-node -- <file> runs one file alone.', () =>
    runVitest(process.argv.slice(2), node),
  );
}

async function fetchNewestNode() {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(root, '.soleseat', 'newest-node');
  mkdirSync(folder, { recursive: true });
  await npm(['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', `${name}@latest`]);
  const file = process.platform === 'win32' ? 'node.exe' : 'node';
  const node = join(folder, 'node_modules', name, 'bin', file);
  if (!existsSync(node)) throw new Error(`${name} has no bin/${file}`);
  return node;
}
