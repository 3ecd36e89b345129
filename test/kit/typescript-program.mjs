// The kit program of the TypeScript library: what `soleseat client-test` starts. The contract is in docs/client-kit.md.
import { createInterface } from 'node:readline';
import { connect } from '../../packages/client/dist/esm/node.js';
import { tellLook } from './tell-look.mjs';

const { SEAT_URL, SEAT_TOKEN_URL, SEAT_MACHINE_ID, SEAT_MACHINE_NAME } = process.env;

const client = connect({
  url: SEAT_URL,
  getToken: fetchToken,
  machine: { id: SEAT_MACHINE_ID, name: SEAT_MACHINE_NAME },
});
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
    orders[line]?.();
    look();
  })
  .on('close', end);
