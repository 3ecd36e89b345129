import { parseArgs } from 'node:util';
import { setup } from './setup.mjs';
import { fail } from './steps.mjs';

const help = `Usage: npm run bench:webhooks -- [options]

Writes events for webhooks with a fast and a slow receiver, kills the node that delivers and restarts Redis with its file
meanwhile, and counts what was lost, what came out of order for a user, and what came twice. The exit code is 1 where
something was lost or out of order. Takes some minutes.

  --rate <n>      events a second (5000)
  --seconds <n>   for so long (20)
  --slow <ms>     after how long the slow receiver answers (10)
  --json          one JSON object instead of the table
  --help          this text`;

async function main() {
  const { values } = parseArgs({
    options: {
      rate: { type: 'string', default: '5000' },
      seconds: { type: 'string', default: '20' },
      slow: { type: 'string', default: '10' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return console.log(help);
  const [rate, seconds, slowMs] = [values.rate, values.seconds, values.slow].map(Number);
  if (![rate, seconds, slowMs].every((one) => Number.isInteger(one) && one >= 0))
    throw new Error('--rate, --seconds and --slow must be whole numbers');
  await setup({ quiet: true });
  const { benchWebhooks } = await import('../bench/webhooks.mjs');
  const onProgress = (line) => console.error(line);
  if (!(await benchWebhooks({ rate, seconds, slowMs, json: values.json, onProgress }))) process.exitCode = 1;
}

await main().catch(fail);
