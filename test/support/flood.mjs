import { connect } from 'node:net';
import { WebSocket } from 'ws';

/**
 * Somebody who floods a node from an address of their own, as a process of its own: connections that send pings as fast as they
 * can, and come back when they are closed, and handshakes without a token. Says `flooding` when it has begun; ends when its
 * standard input does.
 */
const { FLOOD_PORT, FLOOD_TOKEN, FLOOD_CONNECTIONS, FLOOD_HANDSHAKES_PER_SECOND } = process.env;
const port = Number(FLOOD_PORT);
const localAddress = '127.0.0.66';
const TICK_MS = 20;
const PINGS = 50;

function pour() {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/v1/connect`, 'soleseat.v1', {
    localAddress,
    headers: { authorization: `Bearer ${FLOOD_TOKEN}` },
  });
  let timer;
  ws.on('open', () => {
    timer = setInterval(() => {
      for (let sent = 0; sent < PINGS && ws.bufferedAmount < 65_536; sent += 1) ws.ping('flood');
    }, 1);
  });
  ws.on('error', () => {});
  ws.on('close', () => {
    clearInterval(timer);
    setTimeout(pour, TICK_MS);
  });
}

const upgrade = [
  'GET /v1/connect HTTP/1.1',
  'Host: 127.0.0.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol: soleseat.v1',
  '\r\n',
].join('\r\n');

function shakeHands() {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => {});
  socket.on('data', () => socket.destroy());
  socket.end(upgrade);
}

for (let opened = 0; opened < Number(FLOOD_CONNECTIONS); opened += 1) pour();
setInterval(() => {
  for (let made = 0; made < (Number(FLOOD_HANDSHAKES_PER_SECOND) * TICK_MS) / 1000; made += 1) shakeHands();
}, TICK_MS);
console.log('flooding');
process.stdin.on('end', () => process.exit()).resume();
