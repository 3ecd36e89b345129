import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { endWithParent } from '../dist/embedded/child-process.js';
import { findRedis, provisionRedis } from '../dist/embedded/find-redis.js';
import { pickFreePort } from '../dist/embedded/redis-probe.js';
import { startRedis } from '../dist/embedded/redis-process.js';
import { startClientProcess } from './client-process.mjs';
import { killChild, plainEnvironment } from './nodes.mjs';
import { percentile } from './report.mjs';
import { scrapeGroup, tableOfSessions } from './sessions-report.mjs';

const main = join(import.meta.dirname, '..', 'dist', 'cli', 'main.js');
const SETTLED_WITHIN_MS = 120_000;
const HOLD_WITHIN_MS = 3_600_000;
const POLL_MS = 1000;
/** Other files of a process than its sessions. */
const SPARE_FILES = 200;
const P99_MS = 5000;

/**
 * Holds many sessions over many workers and client processes at default timings, kills one worker halfway, and says whether
 * all came back. Gives `{ isKept, … }`.
 */
export async function holdSessions({ sessions, workers, clients, minutes, json }) {
  const say = (line) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
  checkFiles(Math.ceil(sessions / Math.min(workers - 1 || 1, clients)));
  const folder = mkdtempSync(join(tmpdir(), 'soleseat-sessions-'));
  const stops = [];
  try {
    const binary = (await findRedis()) ?? (await provisionRedis({ onProgress: say })).path;
    const redis = await startRedis({ binary, dir: join(folder, 'redis'), appendOnly: true });
    stops.push(() => redis.stop());
    const secret = randomBytes(32).toString('base64url');
    const group = await startGroup({ redisUrl: redis.url, secret, workers, folder });
    stops.push(() => killChild(group.child));
    const empty = await scrapeGroup(group.adminPort, redis.url);
    say(`${workers} workers are ready; ${clients} processes open ${sessions} sessions`);
    // To hold many sessions may take the whole time.
    const patienceMs = (action) => (action === 'hold' ? HOLD_WITHIN_MS : undefined);
    const crowd = Array.from({ length: clients }, () =>
      startClientProcess('hold-clients.mjs', { secret, stops, patienceMs }),
    );
    const began = performance.now();
    await Promise.all(
      crowd.map((ask, i) => ask('hold', shareOf({ i, sessions, clients, port: group.port, secret }))),
    );
    const openedMs = performance.now() - began;
    say(`all are open after ${(openedMs / 1000).toFixed(0)} s; held for ${minutes} minutes`);
    const half = (minutes * 60_000) / 2;
    const [early] = [await scrapeGroup(group.adminPort, redis.url), await pause(half)];
    const late = await scrapeGroup(group.adminPort, redis.url);
    say('one worker is killed');
    process.kill(firstWorker(group.child.pid), 'SIGKILL');
    const seen = await settled(crowd, sessions, say);
    await pause(half);
    const last = await lookAt(crowd);
    const result = resultOf({
      sessions,
      workers,
      clients,
      minutes,
      openedMs,
      seen,
      last,
      half,
      empty,
      early,
      late,
    });
    if (json) console.log(JSON.stringify({ node: process.version, cores: cpus().length, ...result }));
    else console.log(`\n${tableOfSessions(result)}\n`);
    return result;
  } catch (error) {
    throw new Error(`${error.message}\n${readFileSync(join(folder, 'group.log'), 'utf8').slice(-1500)}`);
  } finally {
    for (const stop of stops.reverse()) await stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function resultOf({ sessions, seen, last, half, empty, early, late, ...how }) {
  const { resumesMs, ends } = last;
  const ms = (share) => Math.round(percentile(resumesMs, share));
  const each = (bytes) => Math.round(bytes / sessions);
  return {
    sessions,
    ...how,
    held: last.open,
    cut: resumesMs.length,
    back: seen.open,
    ...ends,
    resumeP50Ms: ms(50),
    resumeP99Ms: ms(99),
    nodeBytesEach: each(early.memory - empty.memory),
    redisBytesEach: each(early.redisMemory - empty.redisMemory),
    nodeMicrosecondsEachSecond: ((late.cpu - early.cpu) * 1e6) / sessions / (half / 1000),
    redisMicrosecondsEachSecond: ((late.redisCpu - early.redisCpu) * 1e6) / sessions / (half / 1000),
    isKept:
      last.open === sessions &&
      resumesMs.length > 0 &&
      Object.values(ends).every((count) => count === 0) &&
      ms(99) < P99_MS,
  };
}

function shareOf({ i, sessions, clients, port, secret }) {
  const count = Math.floor(sessions / clients) + (i < sessions % clients ? 1 : 0);
  // An address has some 28,000 ports towards one port of the broker.
  return { count, port, secret, org: `org-${i % 10}`, name: `user-${i}`, localAddress: `127.0.0.${i + 2}` };
}

async function startGroup({ redisUrl, secret, workers, folder }) {
  const [port, adminPort] = [await pickFreePort(), await pickFreePort()];
  const log = openSync(join(folder, 'group.log'), 'a');
  const child = fork(main, ['serve'], {
    env: plainEnvironment({
      REDIS_URL: redisUrl,
      SOLESEAT_WORKERS: String(workers),
      SOLESEAT_HOST: '127.0.0.1',
      SOLESEAT_PORT: String(port),
      SOLESEAT_ADMIN_PORT: String(adminPort),
      SOLESEAT_LICENSE_MODE: 'open',
      SOLESEAT_JWT_SECRET: secret,
      SOLESEAT_LOG_LEVEL: 'warn',
      SOLESEAT_CONNECTIONS_PER_ADDRESS: '0',
    }),
    execArgv: [],
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  endWithParent(child);
  const deadline = performance.now() + SETTLED_WITHIN_MS;
  const isComplete = async () =>
    (await scrapeGroup(adminPort, redisUrl).catch(() => null))?.workers === workers;
  while (!(await isComplete())) {
    if (child.exitCode !== null || performance.now() > deadline) throw new Error('the workers did not start');
    await pause(POLL_MS);
  }
  return { child, port, adminPort };
}

/** Waits until all are open again. */
async function settled(crowd, sessions, say) {
  const deadline = performance.now() + SETTLED_WITHIN_MS;
  for (;;) {
    await pause(POLL_MS);
    const seen = await lookAt(crowd);
    const isAll = seen.open === sessions && seen.resumesMs.length > 0;
    if (isAll || performance.now() > deadline) {
      say(`${seen.resumesMs.length} sessions came back, ${seen.open} are open`);
      return seen;
    }
  }
}

async function lookAt(crowd) {
  const all = await Promise.all(crowd.map((ask) => ask('look')));
  const ends = {};
  for (const one of all)
    for (const [name, count] of Object.entries(one.ends)) ends[name] = (ends[name] ?? 0) + count;
  return {
    open: all.reduce((sum, one) => sum + one.open, 0),
    resumesMs: all.flatMap((one) => one.resumesMs),
    ends,
  };
}

function firstWorker(pid) {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
}

/** A process that runs out of files would lose sessions for a reason that is none of the broker's. */
function checkFiles(sessionsOfOne) {
  const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  if (Number(soft) < sessionsOfOne + SPARE_FILES)
    throw new Error(
      `a process may open ${soft} files, and one holds ${sessionsOfOne} sessions: more --workers and --clients, or ulimit -n`,
    );
}
