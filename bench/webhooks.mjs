/** Webhooks under load: many events, a fast and a slow receiver, a node that is killed and a Redis that is restarted. */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { monotonicMs } from '../dist/base/clock.js';
import { createMetrics } from '../dist/base/metrics.js';
import { findRedis, provisionRedis } from '../dist/embedded/find-redis.js';
import { startRedis } from '../dist/embedded/redis-process.js';
import { newSecret } from '../dist/outbox/message.js';
import { keyNames } from '../dist/store/keys.js';
import { Scripts } from '../dist/store/scripts.js';
import { createStore } from '../dist/store/store.js';
import { kinds } from './nodes.mjs';

const ORGS = 10;
const USERS = 200;
const STEP_MS = 20;
const keys = keyNames('soleseat:');

/** Gives whether nothing was lost and no user's events came out of order. */
export async function benchWebhooks({ rate, seconds, slowMs, json, onProgress }) {
  const binary = (await findRedis()) ?? (await provisionRedis({ onProgress })).path;
  const folder = mkdtempSync(join(tmpdir(), 'soleseat-bench-'));
  const server = await startRedis({ binary, dir: join(folder, 'data'), appendOnly: true });
  const redis = new Redis(server.url, { maxRetriesPerRequest: null });
  redis.on('error', () => {});
  const secret = randomBytes(32).toString('base64url');
  const start = (name) =>
    kinds.soleseat({
      redisUrl: server.url,
      secret,
      logFile: join(folder, `${name}.log`),
      more: { SOLESEAT_WEBHOOKS_TO_PRIVATE: 'true' },
    });
  const nodes = [await start('one'), await start('two')];
  const receivers = { fast: await receiver(0), slow: await receiver(slowMs) };
  try {
    for (const [name, { port }] of Object.entries(receivers)) await register(redis, name, port);
    const begunMs = performance.now();
    const sent = await generate({ redis, rate, seconds, server, nodes, onProgress });
    const madeMs = performance.now() - begunMs;
    const wanted = await idsIn(redis);
    onProgress(`${wanted.size} events written; waiting for the receivers`);
    const rows = [];
    for (const name of Object.keys(receivers)) {
      const got = await until(receivers[name], wanted.size, onProgress);
      const doneMs = performance.now() - begunMs;
      const ids = new Set(await ask(receivers[name], 'ids', 'ids'));
      const lost = [...wanted].filter((id) => !ids.has(id)).length;
      rows.push({
        receiver: name,
        'answers after ms': name === 'slow' ? slowMs : 0,
        written: wanted.size,
        received: ids.size,
        lost,
        'out of order': got.disorder,
        twice: got.repeated,
        'events/s': Math.round(wanted.size / (doneMs / 1000)),
        'last after s': Number((doneMs / 1000).toFixed(1)),
      });
    }
    const summary = { sent, writtenInSeconds: Number((madeMs / 1000).toFixed(1)), rows };
    if (json) console.log(JSON.stringify(summary, null, 2));
    else console.table(rows);
    return rows.every((row) => row.lost === 0 && row['out of order'] === 0);
  } finally {
    for (const { child } of Object.values(receivers)) child.kill();
    for (const node of nodes) await node.kill();
    redis.disconnect();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes events through the script that writes all of them; kills the delivering node, and restarts Redis with its file. */
async function generate({ redis, rate, seconds, server, nodes, onProgress }) {
  const scripts = new Scripts(redis, createMetrics(), keys);
  const atOnce = Math.round((rate * STEP_MS) / 1000);
  const faults = [
    { atMs: seconds * 400, act: () => killDeliverer(redis, nodes, onProgress) },
    {
      atMs: seconds * 700,
      act: async () => {
        onProgress('Redis is restarted, with its file');
        await server.restart();
      },
    },
  ];
  const beganMs = performance.now();
  const pending = [];
  let sent = 0;
  let unanswered = 0;
  for (let step = 0; step * STEP_MS < seconds * 1000; step += 1) {
    for (let i = 0; i < atOnce; i += 1, sent += 1) {
      const org = `org-${sent % ORGS}`;
      const user = `user-${Math.floor(sent / ORGS) % USERS}`;
      const fields = { user, actor: 'bench', note: String(sent) };
      const order = JSON.stringify({ org, type: 'license.suspended', fields });
      pending.push(
        scripts.run('act', { org }, [order]).catch(() => {
          unanswered += 1;
        }),
      );
    }
    const [fault] = faults;
    if (fault !== undefined && performance.now() - beganMs > fault.atMs) {
      faults.shift();
      pending.push(fault.act());
    }
    const aheadMs = (step + 1) * STEP_MS - (performance.now() - beganMs);
    if (aheadMs > 0) await pause(aheadMs);
    else if (pending.length > rate * 2) await Promise.all(pending.splice(0));
  }
  await Promise.all(pending);
  return { sent, unanswered };
}

async function killDeliverer(redis, nodes, onProgress) {
  const nodeId = await redis.get(keys.outboxTurn);
  const { publicAddress } = JSON.parse(await redis.hget(keys.nodeInfo, nodeId));
  const node = nodes.find(({ port }) => publicAddress.endsWith(`:${port}`));
  onProgress('the node that delivers is killed');
  await node.kill();
}

async function register(redis, id, port) {
  const webhook = {
    ...{ id, url: `http://127.0.0.1:${port}/`, description: '', types: ['license.suspended'], orgs: null },
    secrets: [{ secret: newSecret(), untilMs: null }],
    ...{ state: 'active', reason: null, createdAtMs: Date.now() - 1000 },
  };
  const metrics = createMetrics();
  const config = { keyPrefix: 'soleseat:', nodeId: 'bench' };
  await createStore({ redis, metrics, clock: monotonicMs, config }).webhooks.put(webhook);
}

/** What was truly written: an order whose answer was lost may have been carried out. */
async function idsIn(redis) {
  const ids = new Set();
  for (let i = 0; i < ORGS; i += 1) {
    const org = `org-${i}`;
    for (const [id] of await redis.xrange(keys.acts(org), '-', '+')) ids.add(`${org}_${id}`);
  }
  return ids;
}

async function receiver(delayMs) {
  const child = fork(new URL('./webhook-receiver.mjs', import.meta.url), [String(delayMs)]);
  const [{ port }] = await once(child, 'message');
  return { child, port };
}

async function ask({ child }, question, field) {
  child.send(question);
  const [answer] = await once(child, 'message');
  return field === undefined ? answer : answer[field];
}

async function until(one, count, onProgress) {
  let before = -1;
  for (let quiet = 0; ; ) {
    const got = await ask(one, 'count');
    if (got.count >= count) return got;
    quiet = got.count === before ? quiet + 1 : 0;
    if (quiet > 60) return got;
    before = got.count;
    onProgress(`${got.count} of ${count}`);
    await pause(2000);
  }
}
