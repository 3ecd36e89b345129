import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { keyRingFromSecret } from '../dist/auth/read-keys.js';
import { mintToken } from '../dist/auth/tokens.js';
import { findRedis } from '../dist/embedded/find-redis.js';
import { Stage } from './stage.mjs';

const SESSIONS = 2000;
const AT_ONCE = 100;
const SETTLE_MS = 3000;

/** What a session takes, in Redis and in its node; every user has one machine, and no license. */
export async function measureSizes() {
  const stage = await Stage.build({ binary: await findRedis(), nodeCount: 1 });
  try {
    const [node] = stage.nodes;
    await seat(stage, 0, AT_ONCE);
    await pause(SETTLE_MS);
    const before = await sizes(stage, node);
    await seat(stage, AT_ONCE, AT_ONCE + SESSIONS);
    await pause(SETTLE_MS);
    const after = await sizes(stage, node);
    const per = (name) => `${((after[name] - before[name]) / SESSIONS / 1024).toFixed(1)} KiB`;
    return [
      [`Redis, for a session (mean of ${SESSIONS}, audit trail included)`, per('redis')],
      [`a node's resident memory, for a session (mean of ${SESSIONS})`, per('node')],
      ['a node before its first sessions, resident', `${Math.round(before.node / 2 ** 20)} MiB`],
    ];
  } finally {
    await stage.clear();
  }
}

async function sizes(stage, node) {
  const [, redis] = /used_memory:(\d+)/.exec(await stage.store.info('memory'));
  const [, pages] = readFileSync(`/proc/${node.child.pid}/statm`, 'utf8').split(' ');
  return { redis: Number(redis), node: Number(pages) * 4096 };
}

async function seat(stage, from, to) {
  const [key] = keyRingFromSecret(stage.secret).keys;
  for (let first = from; first < to; first += AT_ONCE) {
    const group = Array.from({ length: Math.min(AT_ONCE, to - first) }, (_, i) => `size-${first + i}`);
    await Promise.all(
      group.map((user) => {
        const mint = {
          key,
          user,
          org: 'acme',
          issuer: 'soleseat',
          audience: 'soleseat',
          expiresInSeconds: 3600,
        };
        const headers = { authorization: `Bearer ${mintToken(mint)}` };
        const url = `ws://127.0.0.1:${stage.nodes[0].port}/v1/connect`;
        const ws = new WebSocket(url, 'soleseat.v1', { headers });
        const machine = { id: `machine-of-${user}`, name: user };
        ws.on('open', () => ws.send(JSON.stringify({ type: 'hello', machine })));
        return new Promise((resolve, reject) => {
          ws.once('message', resolve);
          ws.once('error', reject);
        });
      }),
    );
  }
}
