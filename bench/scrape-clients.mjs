/** The programs and the Prometheus of bench/scrape.mjs, as a process of their own. */
import { once } from 'node:events';
import WebSocket from 'ws';
import { keyRingFromSecret } from '../dist/auth/read-keys.js';
import { mintToken } from '../dist/auth/tokens.js';

const AT_ONCE = 50;
const sockets = [];

process.on('disconnect', () => process.exit());
process.on('message', (order) => {
  const work = order.seats === undefined ? scrape(order) : takeSeats(order);
  work.then(
    (result) => process.send({ result }),
    (error) => process.send({ error: error.message }),
  );
});

/** Brings the number of sessions up to `seats`. */
async function takeSeats({ seats, port, secret }) {
  const [key] = keyRingFromSecret(secret).keys;
  const common = { org: 'bench', issuer: 'soleseat', audience: 'soleseat', key, expiresInSeconds: 36_000 };
  const take = async () => {
    while (sockets.length < seats) {
      const token = mintToken({ ...common, user: `user-${sockets.length}` });
      const ws = new WebSocket(`ws://127.0.0.1:${port}/v1/connect`, 'soleseat.v1', {
        headers: { Authorization: `Bearer ${token}` },
        perMessageDeflate: false,
      });
      sockets.push(ws);
      await once(ws, 'open');
      ws.send(JSON.stringify({ type: 'hello', machine: { id: 'desk' } }));
      const [data] = await once(ws, 'message');
      if (JSON.parse(data).type !== 'welcome') throw new Error(`not welcomed: ${data}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, take));
  return sockets.length;
}

async function scrape({ adminPort }) {
  const page = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  return { bytes: page.length, sessions: Number(/^soleseat_sessions (\d+)$/m.exec(page)?.[1]) };
}
