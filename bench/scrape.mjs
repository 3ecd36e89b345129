/** What a scrape costs the event loop of a node, at growing numbers of sessions. */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { keyRingFromSecret } from '../dist/auth/read-keys.js';
import { parseSettings } from '../dist/base/parse-settings.js';
import { Broker } from '../dist/broker.js';
import { endWithParent } from '../dist/embedded/child-process.js';
import { findRedis, provisionRedis } from '../dist/embedded/find-redis.js';
import { startRedis } from '../dist/embedded/redis-process.js';
import { percentile } from './report.mjs';

const TARGET_MS = 50;
const SCRAPES = 100;
const WARM_UP = 20;
/** What establishing left to do, garbage above all, is done by then. */
const SETTLE_MS = 3000;

/** Prints a line for each number of sessions. The node runs in this process, which is measured; all else does not. */
export async function benchScrape({ sessions }) {
  const say = (line) => process.stderr.write(`${line}\n`);
  const binary = (await findRedis()) ?? (await provisionRedis({ onProgress: say })).path;
  const redis = await startRedis({ binary });
  const secret = randomBytes(32).toString('base64url');
  const node = await startNode(redis.url, secret);
  const clients = fork(join(import.meta.dirname, 'scrape-clients.mjs'), { execArgv: [] });
  endWithParent(clients);
  try {
    console.log('          page   event loop per scrape, ms   CPU per scrape, ms');
    console.log('sessions   KiB   median     p95     max   median     p95     max');
    for (const seats of sessions) {
      await ask(clients, { seats, port: node.ports.public, secret });
      await pause(SETTLE_MS);
      const { bytes, busyMs, cpuMs } = await measure(clients, node.ports.admin, seats);
      const line = [...spread(busyMs), ...spread(cpuMs)].map((ms) => ms.toFixed(1).padStart(8)).join('');
      console.log(`${String(seats).padStart(8)}${(bytes / 1024).toFixed(1).padStart(6)} ${line}`);
    }
    console.log(`The target is under ${TARGET_MS} ms, and no growth. On a busy machine the CPU tells more.`);
  } finally {
    clients.kill();
    await node.stop();
    await redis.stop();
  }
}

async function measure(clients, adminPort, seats) {
  const busyMs = [];
  const cpuMs = [];
  let bytes = 0;
  for (let i = -WARM_UP; i < SCRAPES; i++) {
    const loop = performance.eventLoopUtilization();
    const cpu = process.cpuUsage();
    const page = await ask(clients, { adminPort });
    const { user, system } = process.cpuUsage(cpu);
    if (page.sessions !== seats) throw new Error(`${page.sessions} sessions instead of ${seats}`);
    bytes = page.bytes;
    if (i < 0) continue;
    busyMs.push(performance.eventLoopUtilization(loop).active);
    cpuMs.push((user + system) / 1000);
  }
  return { bytes, busyMs, cpuMs };
}

const spread = (values) => [50, 95, 100].map((percent) => percentile(values, percent));

/** Renewals so far apart that none falls into a scrape: they would be measured with it. */
async function startNode(redisUrl, secret) {
  const parsed = parseSettings({
    REDIS_URL: redisUrl,
    SOLESEAT_HOST: '127.0.0.1',
    SOLESEAT_PORT: '0',
    SOLESEAT_ADMIN_PORT: '0',
    SOLESEAT_JWT_SECRET: secret,
    SOLESEAT_LICENSE_MODE: 'open',
    SOLESEAT_LOG_LEVEL: 'error',
    SOLESEAT_LEASE_TTL_MS: '4h',
    SOLESEAT_RENEW_EVERY_MS: '2h',
    SOLESEAT_CONNECTIONS_PER_ADDRESS: '0',
    SOLESEAT_HANDSHAKES_PER_SECOND: '0',
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  const node = new Broker(parsed.settings, keyRingFromSecret(secret));
  await node.start();
  return node;
}

async function ask(clients, order) {
  clients.send(order);
  const [{ result, error }] = await once(clients, 'message');
  if (error !== undefined) throw new Error(error);
  return result;
}
