/** The clients, as a process of their own: raw `ws`, the same load on either kind of node. */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import WebSocket from 'ws';
import { keyRingFromSecret } from '../dist/auth/keys.js';
import { mintToken } from '../dist/auth/tokens.js';
import { processStats } from './process-stats.mjs';
import { percentile } from './report.mjs';

const WARM_UP_SESSIONS = 500;
const WARM_UP_TAKEOVERS = 50;
const TAKEOVERS_AT_ONCE = 5;
const ANSWER_TIMEOUT_MS = 20_000;
const SETTLE_POLL_MS = 250;
const SETTLE_POLLS = 5;
const SETTLE_LIMIT_MS = 5_000;
/** RSS counts as settled while it stays within this share of itself. */
const SETTLE_TOLERANCE = 0.002;

process.on('disconnect', () => process.exit());
process.once('message', (job) => {
  run(job).then(
    (result) => process.send({ result }),
    (error) => process.send({ error: error.message }),
  );
});

async function run({ nodes, secret, sessions, concurrency, takeovers }) {
  const [key] = keyRingFromSecret(secret).keys;
  const token = (user) =>
    mintToken({ user, org: 'bench', issuer: 'soleseat', audience: 'soleseat', key, expiresInSeconds: 3600 });
  const [first, second] = nodes;

  for (const node of nodes) {
    const crowd = people(`warm-${node.port}`, WARM_UP_SESSIONS, token);
    await closeAll(await establish(node, crowd, concurrency));
  }
  await takeOver(first, second, people('rehearsal', WARM_UP_TAKEOVERS, token));
  const noticeMs = await takeOver(first, second, people('mover', takeovers, token));

  const crowd = people('user', sessions, token);
  const rssBefore = await settledRss(first.pid);
  const cpuBefore = processStats(first.pid).cpuMs;
  const started = performance.now();
  const sockets = await establish(first, crowd, concurrency);
  const elapsedMs = performance.now() - started;
  const cpuMs = processStats(first.pid).cpuMs - cpuBefore;
  const rssAfter = await settledRss(first.pid);
  if (!sockets.every((ws) => ws.readyState === WebSocket.OPEN)) throw new Error('a session was lost');

  return {
    cpuMsPerSession: cpuMs / sessions,
    sessionsPerSecond: (sessions / elapsedMs) * 1000,
    kibPerSession: (rssAfter - rssBefore) / sessions / 1024,
    noticeP50Ms: percentile(noticeMs, 50),
    noticeP99Ms: percentile(noticeMs, 99),
  };
}

/** Tokens are signed before the clock runs. */
function people(name, count, token) {
  return Array.from({ length: count }, (_, index) => ({ token: token(`${name}-${index}`) }));
}

async function establish(node, crowd, concurrency) {
  return spread(crowd, concurrency, async (person) => {
    const ws = await connect(node, person);
    await sayHello(ws, 'desk');
    return ws;
  });
}

/** The seat moves from a session on one node to a machine on the other. Gives the notice times. */
async function takeOver(from, to, crowd) {
  return spread(crowd, TAKEOVERS_AT_ONCE, async (person) => {
    const loser = await connect(from, person);
    await sayHello(loser, 'desk');
    const winner = await connect(to, person);
    const evicted = answer(loser, 'evicted').then(() => performance.now());
    const closed = once(loser, 'close');
    const started = performance.now();
    const welcomed = sayHello(winner, 'laptop');
    const noticeMs = (await evicted) - started;
    const [code] = await closed;
    if (code !== 4509) throw new Error(`the loser was closed with ${code}, not 4509`);
    await welcomed;
    await closeAll([winner]);
    return noticeMs;
  });
}

async function connect({ port }, { token }) {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/v1/connect`, 'soleseat.v1', {
    headers: { Authorization: `Bearer ${token}` },
    perMessageDeflate: false,
    handshakeTimeout: ANSWER_TIMEOUT_MS,
  });
  await once(ws, 'open');
  ws.on('error', () => {});
  return ws;
}

function sayHello(ws, machine) {
  const welcomed = answer(ws, 'welcome');
  ws.send(JSON.stringify({ type: 'hello', machine: { id: machine, name: machine } }));
  return welcomed;
}

/** Settles with the first message of the type; whatever else may come before is passed over. */
function answer(ws, type) {
  return new Promise((resolve, reject) => {
    const stop = (settle, value) => {
      clearTimeout(overdue);
      ws.off('message', onMessage);
      ws.off('close', onClose);
      settle(value);
    };
    const onMessage = (data) => {
      const message = JSON.parse(data);
      if (message.type === type) stop(resolve, message);
    };
    const onClose = (code) => stop(reject, new Error(`closed with ${code} before "${type}"`));
    const overdue = setTimeout(() => stop(reject, new Error(`no "${type}" came`)), ANSWER_TIMEOUT_MS);
    ws.on('message', onMessage);
    ws.on('close', onClose);
  });
}

async function closeAll(sockets) {
  const closed = sockets.map((ws) => once(ws, 'close'));
  for (const ws of sockets) ws.close(1000);
  await Promise.all(closed);
}

async function spread(items, atOnce, action) {
  const results = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await action(items[index]);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

/** A node must not be changed for the measurement, so nobody can ask it to collect its garbage: wait. */
async function settledRss(pid) {
  const deadline = performance.now() + SETTLE_LIMIT_MS;
  const seen = [];
  while (performance.now() < deadline) {
    seen.push(processStats(pid).rssBytes);
    const last = seen.slice(-SETTLE_POLLS);
    const spreadBytes = Math.max(...last) - Math.min(...last);
    if (last.length === SETTLE_POLLS && spreadBytes <= SETTLE_TOLERANCE * last[0]) break;
    await pause(SETTLE_POLL_MS);
  }
  return seen.at(-1);
}
