import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Refusal } from './upgrade.js';

/** Answers a handshake that is not let through, and closes. */
export function refuseSocket(socket: Duplex, { status, message, headers }: Refusal): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const lines = Object.entries({
    ...headers,
    'Content-Type': 'text/plain',
    'Content-Length': String(message.length + 1),
    Connection: 'close',
  });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n${message}\n`);
  socket.once('finish', () => socket.destroy());
}
