import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/**
 * Answers a request that offers to speak another protocol as if it did not: a server may ignore the offer
 * (RFC 9110 section 7.8), and the JDK's client makes it in plain requests (`Upgrade: h2c`).
 *
 * Node has taken the socket out of its HTTP server by now. So the request is put back in front of what is still
 * unread, without the offer, and the socket is handed to the server as a new connection.
 */
export function serveWithoutUpgrade(
  server: Server,
  { method, url, httpVersion, rawHeaders }: IncomingMessage,
  socket: Duplex,
  unread: Buffer,
): void {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== 'upgrade') lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  }
  // Node has read the head as Latin-1.
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), unread]));
  server.emit(socket instanceof TLSSocket ? 'secureConnection' : 'connection', socket);
}
