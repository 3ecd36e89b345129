import { parseArgs } from 'node:util';
import { setup } from './setup.mjs';
import { fail } from './steps.mjs';

const help = `Usage: npm run bench:licenses -- [options]

Measures what a license costs to import, list and recount, and what a count costs, in orgs of 1,000, 10,000 and
100,000 licenses. The cost per license is to stay flat; the exit code is 1 when it grows by half or more.

  --json   one JSON object instead of the table
  --help   this text`;

async function main() {
  const { values } = parseArgs({ options: { json: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help) return console.log(help);
  await setup({ quiet: true });
  const { benchLicenses } = await import('../bench/licenses.mjs');
  const onProgress = (line) => console.error(line);
  const isFlat = await benchLicenses({ sizes: [1000, 10_000, 100_000], json: values.json, onProgress });
  if (!isFlat) process.exitCode = 1;
}

await main().catch(fail);
