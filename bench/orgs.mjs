/** What orgs cost while nothing happens in them, and what each script costs Redis when something does. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { keyRingFromSecret } from '../dist/auth/read-keys.js';
import { monotonicMs } from '../dist/base/clock.js';
import { createMetrics } from '../dist/base/metrics.js';
import { parseSettings } from '../dist/base/parse-settings.js';
import { Broker } from '../dist/broker.js';
import { findRedis, provisionRedis } from '../dist/embedded/find-redis.js';
import { startRedis } from '../dist/embedded/redis-process.js';
import { createStore } from '../dist/store/store.js';
import { kinds } from './nodes.mjs';
import { percentile } from './report.mjs';

/** The interval at which a node does its rarer duties. */
const IDLE_MS = 10_000;
const AT_ONCE = 50;
const BATCHES = 30;
/** Idle cost may grow by this from the fewest orgs to the most. */
const GROWTH = 2;
const YEAR_MS = 31_536_000_000;

/** Gives whether the idle cost does not grow with the orgs. */
export async function benchOrgs({ sizes, json, onProgress }) {
  const binary = (await findRedis()) ?? (await provisionRedis({ onProgress })).path;
  const idle = await withRedis(binary, (redis, url) => measureIdle(redis, url, sizes, onProgress));
  onProgress('scripts');
  const scripts = await withRedis(binary, (redis) => measureScripts(redis));
  const growth = idle.at(-1)['commands/s'] / idle[0]['commands/s'];
  if (json) console.log(JSON.stringify({ idle, scripts, growth }, null, 2));
  else {
    printTable(idle);
    console.log(`\nlast / first: ${growth.toFixed(2)} (at most ${GROWTH})\n`);
    printTable(scripts);
  }
  return growth <= GROWTH;
}

async function withRedis(binary, use) {
  const server = await startRedis({ binary });
  const redis = new Redis(server.url);
  try {
    return await use(redis, server.url);
  } finally {
    redis.disconnect();
    await server.stop();
  }
}

/** Two nodes with default settings: the one in this process, which is measured, has served every org. */
async function measureIdle(redis, redisUrl, sizes, onProgress) {
  const secret = randomBytes(32).toString('base64url');
  const folder = mkdtempSync(join(tmpdir(), 'soleseat-bench-'));
  const node = await startNode(redisUrl, secret);
  const other = await kinds.soleseat({ redisUrl, secret, logFile: join(folder, 'node.log') });
  const rows = [];
  try {
    let made = 0;
    for (const size of sizes) {
      onProgress(`${size.toLocaleString('en')} idle orgs`);
      const orgs = Array.from({ length: size - made }, (_, i) => `org-${made + i}`);
      made = size;
      await inBatches(orgs, (org) => visit(node.store, org));
      // Now rather than when the leases would have ended.
      await node.store.nodes.announce(orgs);
      // The events are due in 90 days, the licenses in a year.
      while ((await redis.zcount('soleseat:due', '-inf', Date.now() + YEAR_MS / 100)) > 0) await pause(100);
      await pause(2000);
      rows.push({ orgs: size, ...(await idleCost(redis)) });
    }
  } finally {
    await node.stop();
    await other.kill();
    rmSync(folder, { recursive: true });
  }
  return rows;
}

async function startNode(redisUrl, secret) {
  const parsed = parseSettings({
    REDIS_URL: redisUrl,
    SOLESEAT_HOST: '127.0.0.1',
    SOLESEAT_PORT: '0',
    SOLESEAT_ADMIN_PORT: '0',
    SOLESEAT_JWT_SECRET: secret,
    SOLESEAT_LICENSE_MODE: 'open',
    SOLESEAT_LOG_LEVEL: 'error',
    SOLESEAT_COMMAND_TIMEOUT_MS: '9000',
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  const node = new Broker(parsed.settings, keyRingFromSecret(secret));
  await node.start();
  return node;
}

/** Somebody with a license came and went. */
async function visit(store, org) {
  const id = `${org}-license`;
  const license = { org, user: 'ada', actor: 'bench', id, requestId: id, expiresAt: Date.now() + YEAR_MS };
  await store.orgs.enter(org);
  await store.licenses.issue(license);
  await store.leases.release(await claimed(store, { org, user: 'ada', machine: 'pc' }));
}

async function idleCost(redis) {
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  await redis.config('RESETSTAT');
  await pause(IDLE_MS);
  const commands = callsIn(await redis.info('commandstats'));
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { 'commands/s': commands / seconds, 'node CPU, %': (user + system) / 10_000 / seconds };
}

/** Those within scripts are counted too. */
function callsIn(info) {
  return [...info.matchAll(/cmdstat_[^:]+:calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0);
}

/** Redis's own time for a call of each script, the median of batches: a busy machine stretches some of them. */
async function measureScripts(redis) {
  const config = {
    ...{ nodeId: 'bench', keyPrefix: 'soleseat:', leaseTtlMs: 60_000, commandTimeoutMs: 30_000 },
    ...{
      licenseMode: 'open',
      takeoversPerMinute: 0,
      claimsPerMinute: 0,
      machinesKeptMs: 0,
      eventsKept: 10_000,
    },
  };
  const store = createStore({ redis, metrics: createMetrics(), clock: monotonicMs, config });
  const users = Array.from({ length: AT_ONCE * BATCHES }, (_, i) => `user-${i}`);
  const org = 'acme';
  const held = new Map();
  const claim = async (user, machine) => held.set(user, await claimed(store, { org, user, machine }));
  const order = (user) => ({ org, user, actor: 'bench' });
  const each = [
    ['claim', (user) => claim(user, 'desk')],
    ['claim, takeover', (user) => claim(user, 'lap')],
    ['renew, one session', (user) => store.leases.renew(org, [held.get(user)])],
    ['release', (user) => store.leases.release(held.get(user))],
    ['issue', (user) => store.licenses.issue({ ...order(user), id: user, requestId: user })],
    ['suspend', (user) => store.licenses.suspend(order(user))],
    ['revoke', (user) => store.licenses.revoke(order(user))],
  ];
  const rows = [];
  // The first round only warms up.
  for (const round of ['warm up', 'measured']) {
    await redis.flushall();
    for (const [script, work] of each) {
      const medianUs = await costOf(redis, users, work);
      if (round === 'measured') rows.push({ script, 'µs in Redis': medianUs });
    }
  }
  return rows;
}

async function costOf(redis, users, work) {
  const costs = [];
  for (let from = 0; from < users.length; from += AT_ONCE) {
    await redis.config('RESETSTAT');
    await Promise.all(users.slice(from, from + AT_ONCE).map(work));
    const [, calls, us] = /cmdstat_evalsha:calls=(\d+),usec=(\d+)/.exec(await redis.info('commandstats'));
    costs.push(Number(us) / Number(calls));
  }
  return percentile(costs, 50);
}

let ids = 0;

async function claimed(store, { org, user, machine: machineId }) {
  const id = `bench-${ids++}`;
  const machine = { id: machineId };
  const machineText = JSON.stringify(machine);
  const names = { requestId: id, sessionId: id, licenseId: id, connection: id };
  const answer = await store.leases.claim({
    ...{ ...names, org, user, machine, machineText, onConflict: 'takeover' },
  });
  if (answer.outcome !== 'granted') throw new Error(`the claim was answered ${answer.outcome}`);
  return { ...names, ...answer, org, user, machineId, machineText };
}

async function inBatches(items, work) {
  for (let from = 0; from < items.length; from += AT_ONCE)
    await Promise.all(items.slice(from, from + AT_ONCE).map(work));
}

function printTable(rows) {
  const names = Object.keys(rows[0]);
  const cell = (value) => {
    if (typeof value === 'string') return value;
    return Number.isInteger(value) ? value.toLocaleString('en') : value.toFixed(1);
  };
  const line = (cells) => console.log(cells.map((text) => text.padStart(20)).join(''));
  line(names);
  for (const row of rows) line(names.map((name) => cell(row[name])));
}
