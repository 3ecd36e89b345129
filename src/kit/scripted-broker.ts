import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { CONNECT_PATH, SUBPROTOCOL } from '#client/protocol/messages.js';
import { Link } from './link.js';
import type { Transcript } from './transcript.js';

/** One request of the client for a WebSocket. The script decides what becomes of it. */
export interface Dial {
  readonly number: number;
  readonly atMs: number;
  readonly request: IncomingMessage;
  readonly accept: () => Link;
  /** An HTTP answer in place of 101. */
  readonly refuse: (status: number, headers?: Readonly<Record<string, string>>) => void;
  /** The connection breaks without an answer. */
  readonly cut: () => void;
}

/** A broker without a mind of its own: it takes connections, and a check says what it answers. */
export class ScriptedBroker {
  readonly dials: Dial[] = [];
  readonly links: Link[] = [];
  private server: Server | null = null;
  private readonly sockets = new Set<Socket>();
  private readonly webSockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  private port = 0;

  constructor(private readonly transcript: Transcript) {}

  get url(): string {
    return `ws://127.0.0.1:${this.port}${CONNECT_PATH}`;
  }

  /** Begins to listen; after `stopListening` on the same port as before. */
  async listen(): Promise<void> {
    const server = createServer((request, response) => {
      this.transcript.add('client', `${request.method} ${request.url}, which is no WebSocket handshake`);
      response.writeHead(426).end();
    });
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('error', () => {}); // The close that follows tells all there is.
      socket.on('close', () => this.sockets.delete(socket));
    });
    server.on('upgrade', (request, socket, head) => this.dialled(request, socket as Socket, head));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  /** Who dials now is refused by the system. Connections that are open stay. */
  stopListening(): void {
    this.transcript.add('script', 'stops listening');
    this.server?.close();
    this.server = null;
  }

  end(): void {
    for (const link of this.links) link.rest();
    this.server?.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private dialled(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const atMs = performance.now();
    const number = this.dials.length + 1;
    this.dials.push({
      number,
      atMs,
      request,
      accept: () => this.accept(number, atMs, request, socket, head),
      refuse: (status, headers = {}) => {
        this.transcript.add('script', `[${number}] answers ${status} ${JSON.stringify(headers)}`);
        const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
        socket.end(
          `HTTP/1.1 ${status} Refused\r\nContent-Length: 0\r\nConnection: close\r\n${lines.join('')}\r\n`,
        );
      },
      cut: () => {
        this.transcript.add('script', `[${number}] cuts the handshake`);
        socket.destroy();
      },
    });
    this.transcript.add('client', `[${number}] dials ${request.url?.replace(/(token=).+/, '$1…')}`);
  }

  private accept(number: number, atMs: number, request: IncomingMessage, socket: Socket, head: Buffer): Link {
    let link: Link | undefined;
    // ws calls back before it returns: it does not wait for anything here.
    this.webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      link = new Link(number, atMs, webSocket, socket, this.transcript);
    });
    if (link === undefined) throw new Error(`ws refused handshake ${number}`);
    this.links.push(link);
    return link;
  }
}
