import { parseArgs } from 'node:util';
import { setup } from './setup.mjs';
import { fail } from './steps.mjs';

const help = `Usage: npm run bench:sessions -- [options]

Holds many sessions over workers (SOLESEAT_WORKERS) and client processes at default timings, kills one worker
halfway, and says whether all came back: none evicted, p99 below 5 s. Memory and CPU for a session stand in
the table. Linux only. The exit code is 1 where something was lost.

  --sessions <n>  sessions at once (100000)
  --workers <n>   processes of the broker (12)
  --clients <n>   processes of clients, each with an address of its own (12)
  --minutes <n>   how long they are held (10)
  --json          one JSON object instead of the table
  --help          this text

A process holds up to sessions / (workers - 1) connections, and needs as many files: ulimit -n 20000.
With 100,000 sessions it takes about 3 GB of memory.`;

const numbers = { sessions: 100_000, workers: 12, clients: 12, minutes: 10 };

function readOptions() {
  const texts = Object.entries(numbers).map(([name, value]) => [
    name,
    { type: 'string', default: String(value) },
  ]);
  const options = { ...Object.fromEntries(texts), json: { type: 'boolean' }, help: { type: 'boolean' } };
  const { values } = parseArgs({ options });
  for (const name of Object.keys(numbers)) {
    if (!/^\d{1,6}(\.\d+)?$/.test(values[name]) || Number(values[name]) <= 0)
      throw new Error(`--${name} must be a number above 0`);
    values[name] = Number(values[name]);
  }
  if (values.workers < 2) throw new Error('--workers must be at least 2: one of them is killed');
  if (values.clients > 250) throw new Error('--clients must be at most 250: each has an address of its own');
  return values;
}

async function main() {
  const options = readOptions();
  if (options.help) return console.log(help);
  await setup({ quiet: true });
  const { holdSessions } = await import('../bench/sessions.mjs');
  const { isKept } = await holdSessions(options);
  if (!isKept) process.exitCode = 1;
}

await main().catch(fail);
