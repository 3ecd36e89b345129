/** Many clients in one process, from one address of loopback: they hold their seats, and resume by themselves. */
import { setTimeout as pause } from 'node:timers/promises';
import WebSocket from 'ws';
import { keyRingFromSecret } from '../dist/auth/read-keys.js';
import { mintToken } from '../dist/auth/tokens.js';

/** As the client library: attempts are spread over the whole of a window that grows. */
const FIRST_WINDOW_MS = 1000;
const LAST_WINDOW_MS = 30_000;
const ANSWER_WITHIN_MS = 10_000;
const HOLDING_AT_ONCE = 50;
const TOKEN_SECONDS = 6 * 3600;

const actions = { hold, look, leave };
const people = [];
/** From the cut to the next welcome, in ms, of every session that was cut off. */
const resumesMs = [];
const ends = { evicted: 0, refused: 0, notResumed: 0 };
let isOver = false;
let order;

process.on('disconnect', () => process.exit());
process.on('message', ({ id, action, ...given }) => {
  actions[action](given).then(
    (result) => process.send({ id, result }),
    (error) => process.send({ id, error: error.message }),
  );
});

/** Opens all sessions, so many at a time. */
async function hold(given) {
  order = given;
  const [key] = keyRingFromSecret(given.secret).keys;
  const common = {
    org: given.org,
    issuer: 'soleseat',
    audience: 'soleseat',
    key,
    expiresInSeconds: TOKEN_SECONDS,
  };
  let next = 0;
  const some = async () => {
    while (next < given.count) {
      const user = `${given.name}-${next++}`;
      const person = { token: mintToken({ user, ...common }), ws: null, seat: null };
      people.push(person);
      while (!(await dial(person))) await pause(Math.random() * FIRST_WINDOW_MS);
    }
  };
  await Promise.all(Array.from({ length: HOLDING_AT_ONCE }, some));
}

async function look() {
  const open = people.filter(({ ws }) => ws?.readyState === WebSocket.OPEN).length;
  return { open, resumesMs, ends };
}

async function leave() {
  isOver = true;
  for (const { ws } of people) ws?.terminate();
}

/** One attempt. Resolves with whether it has the seat. */
function dial(person) {
  const ws = new WebSocket(`ws://127.0.0.1:${order.port}/v1/connect`, 'soleseat.v1', {
    headers: { Authorization: `Bearer ${person.token}` },
    localAddress: order.localAddress,
    perMessageDeflate: false,
    handshakeTimeout: ANSWER_WITHIN_MS,
  });
  const resume = person.seat && { resume: person.seat, onConflict: 'deny' };
  return new Promise((resolve) => {
    const overdue = setTimeout(() => ws.terminate(), 2 * ANSWER_WITHIN_MS);
    ws.on('error', () => {});
    ws.on('open', () => ws.send(JSON.stringify({ type: 'hello', machine: { id: 'pc' }, ...resume })));
    ws.on('message', (data) => {
      const message = JSON.parse(data);
      if (message.type === 'lease') person.seat.epoch = message.epoch;
      if (message.type === 'evicted') ends.evicted += 1;
      if (message.type !== 'welcome') return;
      clearTimeout(overdue);
      if (person.seat && person.seat.sessionId !== message.sessionId) ends.notResumed += 1;
      person.seat = { sessionId: message.sessionId, epoch: message.epoch };
      person.ws = ws;
      resolve(true);
    });
    ws.on('close', (code) => {
      clearTimeout(overdue);
      resolve(false);
      if (person.ws !== ws) return;
      person.ws = null;
      if (code >= 4500) ends.refused += 1;
      else if (!isOver) void comeBack(person);
    });
  });
}

async function comeBack(person) {
  const cutMs = performance.now();
  for (let windowMs = FIRST_WINDOW_MS; !isOver; windowMs = Math.min(windowMs * 2, LAST_WINDOW_MS)) {
    await pause(Math.random() * windowMs);
    if (!(await dial(person))) continue;
    resumesMs.push(performance.now() - cutMs);
    return;
  }
}
