/** The clients, as a process of their own: raw `ws`, the same load on either kind of node. */
import { once } from 'node:events';
import WebSocket from 'ws';
import { keyRingFromSecret } from '../dist/auth/read-keys.js';
import { mintToken } from '../dist/auth/tokens.js';

const ANSWER_TIMEOUT_MS = 120_000;

const actions = { establish, drop, takeOver };
const held = [];

process.on('disconnect', () => process.exit());
process.on('message', ({ id, action, ...order }) => {
  actions[action](order).then(
    (result) => process.send({ id, result }),
    (error) => process.send({ id, error: error.message }),
  );
});

/** Opens sessions and keeps them. Gives how long it took, in ms; the tokens are signed before the clock runs. */
async function establish({ port, secret, name, count, concurrency }) {
  const crowd = people(secret, name, count);
  const started = performance.now();
  const sockets = await spread(crowd, concurrency, async (token) => {
    const ws = await connect(port, token);
    await sayHello(ws, 'desk');
    return ws;
  });
  const elapsedMs = performance.now() - started;
  held.push(...sockets);
  return elapsedMs;
}

/** Ends all sessions as programs do that are closed, so that no seat is left to be swept while something is measured. */
async function drop() {
  const lost = held.filter((ws) => ws.readyState !== WebSocket.OPEN).length;
  if (lost > 0) throw new Error(`${lost} sessions were lost meanwhile`);
  const closed = held.map((ws) => once(ws, 'close'));
  for (const ws of held.splice(0)) ws.close(1000);
  await Promise.all(closed);
}

/**
 * Seats move from sessions on one node to a machine on the other, one after another. Gives the times from
 * the newcomer's hello to the loser's notice. All connections stand before, and nothing else goes on.
 */
async function takeOver({ from, to, secret, name, count, concurrency }) {
  const crowd = people(secret, name, count);
  const pairs = await spread(crowd, concurrency, async (token) => {
    const loser = await connect(from, token);
    await sayHello(loser, 'desk');
    return { loser, winner: await connect(to, token) };
  });
  const noticesMs = [];
  for (const { loser, winner } of pairs) {
    const evicted = answer(loser, 'evicted').then(() => performance.now());
    const closed = once(loser, 'close');
    const started = performance.now();
    const welcomed = sayHello(winner, 'laptop');
    noticesMs.push((await evicted) - started);
    const [code] = await closed;
    if (code !== 4509) throw new Error(`the loser was closed with ${code}, not 4509`);
    await welcomed;
  }
  held.push(...pairs.map(({ winner }) => winner));
  await drop();
  return noticesMs;
}

function people(secret, name, count) {
  const [key] = keyRingFromSecret(secret).keys;
  const common = { org: 'bench', issuer: 'soleseat', audience: 'soleseat', key, expiresInSeconds: 3600 };
  return Array.from({ length: count }, (_, index) => mintToken({ user: `${name}-${index}`, ...common }));
}

async function connect(port, token) {
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
    const onClose = (code, reason) =>
      stop(reject, new Error(`closed with ${code} ${reason} before "${type}"`));
    const overdue = setTimeout(() => stop(reject, new Error(`no "${type}" came`)), ANSWER_TIMEOUT_MS);
    ws.on('message', onMessage);
    ws.on('close', onClose);
  });
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
