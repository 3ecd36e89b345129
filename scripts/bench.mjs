import { parseArgs } from 'node:util';
import { setup } from './setup.mjs';
import { fail } from './steps.mjs';

const help = `Usage: npm run bench -- [options]

Measures Soleseat against a bare node (ws, ioredis and jsonwebtoken with a claim script of a few
lines) under the same load: CPU per established session, memory per idle session, and the time
from a newcomer's hello to the loser's notice. The exit code is 0 whether targets are met or not.

  --sessions <n>     sessions to establish (4000)
  --concurrency <n>  how many at once (50)
  --takeovers <n>    takeovers between two nodes (500)
  --rounds <n>       rounds of each kind, of which the medians count (3)
  --json             one JSON object instead of the table
  --help             this text`;

const numbers = { sessions: 4000, concurrency: 50, takeovers: 500, rounds: 3 };

function readOptions() {
  const texts = Object.entries(numbers).map(([name, value]) => [
    name,
    { type: 'string', default: String(value) },
  ]);
  const options = { ...Object.fromEntries(texts), json: { type: 'boolean' }, help: { type: 'boolean' } };
  const { values } = parseArgs({ options });
  for (const name of Object.keys(numbers)) {
    if (!/^[1-9]\d{0,5}$/.test(values[name])) throw new Error(`--${name} must be a whole number above 0`);
    values[name] = Number(values[name]);
  }
  return values;
}

async function main() {
  const options = readOptions();
  if (options.help) return console.log(help);
  await setup({ quiet: true });
  const { bench } = await import('../bench/run.mjs');
  await bench(options);
}

await main().catch(fail);
