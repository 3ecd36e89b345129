import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { type FuzzResult, fuzz } from './run.js';

const help = `Usage: npm run fuzz -- [options]

Sends random WebSocket frames, messages and HTTP to a real broker, while 20 people work on it. Ends with 1 where
something was harmed, and says with which seed to see it again.

  --minutes <n>  how long it goes on (1)
  --seed <n>     the seed (by default a new one)
  --from <n>     begins with this input of the seed (0)
  --cases <n>    at most so many inputs
  --help         this text`;

const PROGRESS_EVERY_MS = 10_000;
const MIB = 1024 * 1024;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    from: { type: 'string', default: '0' },
    cases: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) console.log(help);
else await main();

async function main(): Promise<void> {
  const [minutes, seed, from] = [values.minutes, values.seed, values.from].map(Number) as [
    number,
    number,
    number,
  ];
  const most = values.cases === undefined ? Number.POSITIVE_INFINITY : Number(values.cases);
  if (![seed, from].every(Number.isSafeInteger) || !(minutes > 0) || !(most > 0)) {
    console.error('--minutes and --cases are numbers above 0, --seed and --from whole numbers');
    process.exitCode = 2;
    return;
  }
  console.log(`seed ${seed}`);
  let toldAtMs = performance.now();
  const onProgress = (state: FuzzResult) => {
    if (performance.now() - toldAtMs < PROGRESS_EVERY_MS) return;
    toldAtMs = performance.now();
    console.error(lineOf(state));
  };
  // Compiled, this file is fuzz/dist/fuzz/main.js.
  const root = dirname(dirname(dirname(import.meta.dirname)));
  const result = await fuzz({ root, seed, from, most, durationMs: minutes * 60_000, onProgress });
  console.log(lineOf(result));
  for (const { number, what, input } of result.faults) {
    console.log(
      `\nFAULT ${what}\n${number === null ? '' : `  --seed ${seed} --from ${number} --cases 1\n  ${input}`}`,
    );
  }
  process.exitCode = result.faults.length > 0 ? 1 : 0;
}

function lineOf({ cases, faults, longestGapMs, leftBytes }: FuzzResult): string {
  const counted = Object.entries(cases).map(([kind, count]) => `${count} ${kind}`);
  const memory = [leftBytes.start, leftBytes.end].map((bytes) =>
    bytes === null ? '-' : `${(bytes / MIB).toFixed(1)}`,
  );
  return `${counted.join(', ')}; ${faults.length} faults; longest without a lease ${Math.round(longestGapMs)} ms; memory ${memory.join(' → ')} MiB`;
}
