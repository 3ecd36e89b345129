import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { endWithParent } from '../dist/embedded/child-process.js';
import { findRedis, provisionRedis } from '../dist/embedded/find-redis.js';
import { startRedis } from '../dist/embedded/redis-process.js';
import { killChild, kinds, plainEnvironment } from './nodes.mjs';
import { summarise, table } from './report.mjs';

const PART_TIMEOUT_MS = 90_000;

/** Bare and Soleseat in turn, so that what else the machine does falls on both. */
export async function bench({ sessions, concurrency, takeovers, rounds, json }) {
  const say = (line) => process.stderr.write(`${line}\n`);
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])
    process.once(signal, () => process.exit(code));
  const folder = mkdtempSync(join(tmpdir(), 'soleseat-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const binary = (await findRedis()) ?? (await provisionRedis({ onProgress: say })).path;
  const load = { sessions, concurrency, takeovers };
  say(`${sessions} sessions, ${takeovers} takeovers between two nodes, ${rounds} rounds of each kind`);
  const results = [];
  for (let round = 1; round <= rounds; round++) {
    const result = {};
    for (const kind of Object.keys(kinds)) {
      const started = performance.now();
      result[kind] = await measure(kind, load, { binary, folder });
      const { cpuMsPerSession, noticeP50Ms, kibPerSession } = result[kind];
      say(
        `round ${round} of ${rounds}, ${kind.padEnd(8)}  ` +
          `${cpuMsPerSession.toFixed(3)} ms CPU, notice ${noticeP50Ms.toFixed(2)} ms, ` +
          `${kibPerSession.toFixed(1)} KiB  (${((performance.now() - started) / 1000).toFixed(0)} s)`,
      );
    }
    results.push(result);
  }
  const summary = summarise(results);
  const machine = { node: process.version, platform: process.platform, cores: cpus().length };
  if (json) console.log(JSON.stringify({ machine, load: { ...load, rounds }, summary, rounds: results }));
  else {
    console.log(`\n${table(summary)}\n`);
    console.log(`Medians of ${rounds} rounds; Node ${machine.node}, ${machine.cores} cores, loopback.`);
  }
}

/** One kind, with two fresh nodes, a fresh Redis and a fresh client process; leaves none of them behind. */
async function measure(kind, load, { binary, folder }) {
  const secret = randomBytes(32).toString('base64url');
  const stops = [];
  try {
    const redis = await startRedis({ binary });
    stops.push(() => redis.stop());
    const nodes = [];
    for (const name of ['a', 'b']) {
      const logFile = join(folder, `${name}.log`);
      const { kill, ...node } = await kinds[kind]({ redisUrl: redis.url, secret, logFile });
      stops.push(kill);
      nodes.push(node);
    }
    const client = fork(join(import.meta.dirname, 'load.mjs'), {
      env: plainEnvironment(),
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    stops.push(() => killChild(client));
    endWithParent(client);
    client.send({ ...load, nodes, secret });
    return await resultOf(client, kind);
  } catch (error) {
    throw new Error(`${error.message}\n${lastWords(folder)}`.trimEnd());
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** What the nodes said last, but for the lines that every session brings. */
function lastWords(folder) {
  const lines = ['a', 'b'].flatMap((name) => {
    const file = join(folder, `${name}.log`);
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.includes('"level":30'))
      .slice(-5)
      .map((line) => `node ${name}: ${line}`);
  });
  return lines.join('\n');
}

async function resultOf(client, kind) {
  const exited = once(client, 'exit').then(() => [{ error: 'the clients ended early' }]);
  exited.catch(() => {});
  const answered = once(client, 'message', { signal: AbortSignal.timeout(PART_TIMEOUT_MS) }).catch(() => [
    { error: `no result within ${PART_TIMEOUT_MS / 1000} s` },
  ]);
  const [{ result, error }] = await Promise.race([answered, exited]);
  if (error !== undefined) throw new Error(`the load on the ${kind} node failed: ${error}`);
  return result;
}
