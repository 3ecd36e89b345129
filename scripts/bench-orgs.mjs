import { parseArgs } from 'node:util';
import { setup } from './setup.mjs';
import { fail } from './steps.mjs';

const help = `Usage: npm run bench:orgs -- [options]

Measures what 10, 1,000 and 10,000 orgs cost while nothing happens in them: the commands a second that two nodes ask of
Redis, and the CPU of a node. The cost must not grow with the orgs; the exit code is 1 when it doubles. Beside it stands
what Redis takes for a call of each script. Takes about two minutes.

  --json   one JSON object instead of the tables
  --help   this text`;

async function main() {
  const { values } = parseArgs({ options: { json: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help) return console.log(help);
  await setup({ quiet: true });
  const { benchOrgs } = await import('../bench/orgs.mjs');
  const onProgress = (line) => console.error(line);
  const isFlat = await benchOrgs({ sizes: [10, 1000, 10_000], json: values.json, onProgress });
  if (!isFlat) process.exitCode = 1;
}

await main().catch(fail);
