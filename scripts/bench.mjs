import { parseArgs } from 'node:util';
import { setup } from './setup.mjs';
import { fail } from './steps.mjs';

const help = `Usage: npm run bench -- [options]

Measures Soleseat beside a bare node (ws, ioredis and jsonwebtoken with a claim script of a few
lines) under the same load, the two in turns: CPU per established session, the time from a
newcomer's hello to the loser's notice, and memory per idle session. Takes a few minutes.
The exit code is 0 whether the targets are met or missed.

  --rounds <n>       rounds, each with fresh nodes of both kinds (5)
  --sessions <n>     sessions in a wave, six waves a round (500)
  --takeovers <n>    takeovers in a wave, six waves a round (50)
  --idle <n>         idle sessions, once a round (4000)
  --concurrency <n>  how many sessions are established at once (50)
  --json             one JSON object instead of the table
  --help             this text`;

const numbers = { rounds: 5, sessions: 500, takeovers: 50, idle: 4000, concurrency: 50 };

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
