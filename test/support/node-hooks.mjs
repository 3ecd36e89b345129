import { existsSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Preloaded into a node process, to do to it what tests cannot do from outside. */
const { TEST_CLOCK_SHIFT_MS, TEST_ON_SIGUSR2 } = process.env;

if (TEST_CLOCK_SHIFT_MS !== undefined) {
  const shiftMs = Number(TEST_CLOCK_SHIFT_MS);
  const RealDate = Date;
  globalThis.Date = class extends RealDate {
    constructor(...parts) {
      if (parts.length === 0) super(RealDate.now() + shiftMs);
      else super(...parts);
    }
    static now() {
      return RealDate.now() + shiftMs;
    }
  };
}

const delays = monitorEventLoopDelay({ resolution: 5 });

/** Writes the longest time for which the event loop did not turn, in ms, and begins to measure anew. */
function tellLongestStall(file) {
  writeFileSync(file, String(delays.max / 1e6));
  delays.reset();
}

/** Until a file is gone the event loop turns no more, as in a computation that takes long. */
function stallWhile(file) {
  while (existsSync(file)) stall(10);
}

/** The event loop turns no more for that time. */
function stall(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function eatMemory() {
  const eaten = [];
  for (;;) eaten.push(Array.from({ length: 100_000 }, (_, i) => ({ i })));
}

if (TEST_ON_SIGUSR2?.startsWith('stall > ')) delays.enable();
process.on('SIGUSR2', () => {
  if (TEST_ON_SIGUSR2 === 'eat memory') eatMemory();
  else if (TEST_ON_SIGUSR2.startsWith('stall > ')) tellLongestStall(TEST_ON_SIGUSR2.slice(8));
  else if (TEST_ON_SIGUSR2.startsWith('/')) stallWhile(TEST_ON_SIGUSR2);
  else stall(Number(TEST_ON_SIGUSR2));
});
