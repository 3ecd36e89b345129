import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { TLS_OPTIONS, type TlsPair } from './tls.js';

/** A TLS handshake may take as long as the headers after it. */
const HEADERS_TIMEOUT_MS = 10_000;

const limits = {
  maxHeaderSize: 16_384,
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: 15_000,
  connectionsCheckingInterval: 1000,
};

export interface HttpServer {
  readonly server: Server;
  /** Ends all connections that are no WebSockets: once the server closes, Node enforces no timeout on them. */
  hangUp(): void;
}

/** The HTTP server under the WebSockets, with TLS where there is a certificate. */
export function createHttpServer(tls: TlsPair | null): HttpServer {
  const server =
    tls === null
      ? createServer(limits)
      : createTlsServer({ ...limits, ...TLS_OPTIONS, ...tls, handshakeTimeout: HEADERS_TIMEOUT_MS });
  // checkHeaderCount alone decides: Node would drop the rest in silence.
  server.maxHeadersCount = 0;
  const unfinished = tls === null ? null : watchTlsHandshakes(server);
  return {
    server,
    hangUp() {
      server.closeAllConnections();
      for (const socket of unfinished?.values() ?? []) socket.destroy();
    },
  };
}

/** Connections whose TLS handshake has not ended: HTTP does not know of them yet. By the peer's address and port. */
function watchTlsHandshakes(server: Server): ReadonlyMap<string, Socket> {
  const unfinished = new Map<string, Socket>();
  const peerOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    unfinished.set(peer, socket);
    socket.once('close', () => {
      if (unfinished.get(peer) === socket) unfinished.delete(peer);
    });
  });
  server.on('secureConnection', (socket: Socket) => unfinished.delete(peerOf(socket)));
  return unfinished;
}
