// The kit program of the TypeScript library: what `soleseat client-test` starts. The contract is in docs/client-kit.md.
import { createInterface } from 'node:readline';
import { connect } from '../../packages/client/dist/esm/node.js';
import { brokerProof, leave } from '../../packages/client/dist/esm/ticket.js';
import { tellLook } from './tell-look.mjs';

const {
  SEAT_URL,
  SEAT_TOKEN_URL,
  SEAT_MACHINE_ID,
  SEAT_MACHINE_NAME,
  SEAT_IDLE,
  SEAT_ASKS,
  SEAT_NONCE_KEYS,
  SEAT_TICKET,
} = process.env;

let ticket = SEAT_TICKET;
let workedMs = performance.now() - Number(SEAT_IDLE);

const client = connect({
  url: SEAT_URL,
  getToken: fetchToken,
  machine: { id: SEAT_MACHINE_ID, name: SEAT_MACHINE_NAME },
  ...(SEAT_NONCE_KEYS && { proof: brokerProof(JSON.parse(SEAT_NONCE_KEYS)) }),
  ...(SEAT_TICKET && { ticket: () => ticket }),
  ...(SEAT_ASKS && { onTakeoverRequested: () => {} }),
  ...(SEAT_IDLE && { idleMs: () => performance.now() - workedMs }),
});
client.on('leaveEnded', () => {
  ticket = null;
});
if (process.env.SEAT_TAKES_FREE) client.on('seatFree', () => client.takeIfFree());
let printed;

async function fetchToken() {
  const response = await fetch(SEAT_TOKEN_URL);
  if (!response.ok) throw new Error(`the token server answered ${response.status}`);
  return response.text();
}

function look() {
  const holds = tellLook(() => client.holdsLease());
  if (holds === printed) return;
  printed = holds;
  console.log(`holds ${holds}`);
}

const orders = {
  takeover: () => client.takeOver(),
  retry: () => client.retryNow(),
  release: () => void client.release().then(end),
  quit: end,
  idle: (ms) => {
    workedMs = performance.now() - ms;
  },
  leave: (ms) => leave(client, ms).then(end, (fault) => console.error(fault.code)),
  ask: () => client.ask(),
  yield: (ms) => client.answer(true, ms),
  refuse: () => client.answer(false),
  active() {
    workedMs = performance.now();
    client.activity();
  },
};

function end() {
  client.disconnect();
  look();
  process.exit(0);
}

look();
setInterval(look, 20);
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const [word, ms] = line.split(' ');
    orders[word]?.(Number(ms));
    look();
  })
  .on('close', end);
