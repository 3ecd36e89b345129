import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedis, provisionRedis } from '../dist/embedded/find-redis.js';
import { parts } from './parts.mjs';
import { summarise, table } from './report.mjs';

/** Measures in rounds, tells of the progress on standard error, and prints the table on standard output. */
export async function bench({ rounds, json, ...load }) {
  const say = (line) => process.stderr.write(`${line}\n`);
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])
    process.once(signal, () => process.exit(code));
  const folder = mkdtempSync(join(tmpdir(), 'soleseat-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const binary = (await findRedis()) ?? (await provisionRedis({ onProgress: say })).path;
  const { sessions, takeovers, idle } = load;
  say(
    `${rounds} rounds: waves of ${sessions} sessions, of ${takeovers} takeovers, and ${idle} idle sessions`,
  );
  const results = [];
  for (let round = 1; round <= rounds; round++) {
    const result = {};
    for (const [name, measure] of Object.entries(parts)) {
      const started = performance.now();
      Object.assign(result, await measure(load, { binary, folder }));
      const seconds = ((performance.now() - started) / 1000).toFixed(0);
      say(
        `round ${round} of ${rounds}, ${name.padEnd(9)}  ${ratiosOf(result, name).padEnd(30)} (${seconds} s)`,
      );
    }
    results.push(result);
  }
  const summary = summarise(results);
  const machine = { node: process.version, platform: process.platform, cores: cpus().length };
  if (json) console.log(JSON.stringify({ machine, load: { ...load, rounds }, summary, rounds: results }));
  else {
    console.log(`\n${table(summary)}\n`);
    console.log(
      `Medians of all pairs in ${rounds} rounds; Node ${machine.node}, ${machine.cores} cores, loopback.`,
    );
  }
}

/** The metric by which the part's progress is told. */
const foremost = {
  establish: 'cpuMsPerSession',
  takeOver: 'noticeP50Ms',
  idle: 'rssKibPerSession',
  sign: 'signatureUs',
};

function ratiosOf(result, part) {
  const pairs = result[foremost[part]];
  return `ratio ${pairs.map(({ bare, soleseat }) => (soleseat / bare).toFixed(2)).join(' ')}`;
}
