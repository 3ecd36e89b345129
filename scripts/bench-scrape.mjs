import { setup } from './setup.mjs';
import { fail } from './steps.mjs';

const help = `Usage: npm run bench:scrape -- [sessions …]

Measures for how long a scrape of /metrics keeps the event loop of a node busy, at each of these
numbers of sessions (100, 1000 and 10000). It must be under 50 ms, and not grow with them.`;

async function main() {
  const args = process.argv.slice(2);
  if (args.includes('--help')) return console.log(help);
  const sessions = args.length > 0 ? args.map(Number) : [100, 1000, 10_000];
  if (!sessions.every((one) => Number.isInteger(one) && one > 0))
    throw new Error('each must be a whole number above 0');
  await setup({ quiet: true });
  const { benchScrape } = await import('../bench/scrape.mjs');
  await benchScrape({ sessions: sessions.sort((a, b) => a - b) });
}

await main().catch(fail);
