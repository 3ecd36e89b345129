import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import {
  type ClientEvents,
  type ConnectOptions,
  connect,
  type EventName,
} from '../../packages/client/src/node.js';
import type {
  ClientMessage,
  HelloMessage,
  ServerMessage,
} from '../../packages/client/src/protocol/messages.js';
import { eventually } from '../support/eventually.js';

export const sessionId = '01890a5d-ac96-774b-bcce-b302099a8057';
export const otherSessionId = '01890a5d-ac96-774b-bcce-b302099a8058';

export function welcome(
  fields: {
    epoch?: number;
    ttlMs?: number;
    renewEveryMs?: number;
    resumed?: boolean;
    sessionId?: string;
    elapsedMs?: number;
  } = {},
) {
  return {
    type: 'welcome',
    sessionId,
    epoch: 7,
    resumed: false,
    ttlMs: 30_000,
    renewEveryMs: 10_000,
    license: null,
    ...fields,
  } as const;
}

/** One client's connection, as the broker sees it. */
export class Visit {
  readonly received: ClientMessage[] = [];
  closedWith: number | null = null;

  constructor(private readonly socket: WebSocket) {
    socket.on('message', (data) => this.received.push(JSON.parse(String(data))));
    socket.on('close', (code) => {
      this.closedWith = code;
    });
  }

  /** Waits for the first message of a type. */
  async until<T extends ClientMessage['type']>(type: T): Promise<Extract<ClientMessage, { type: T }>> {
    const isIt = (message: ClientMessage): message is Extract<ClientMessage, { type: T }> =>
      message.type === type;
    await eventually(() => this.received.some(isIt));
    const found = this.received.find(isIt);
    if (found === undefined) throw new Error(`no ${type}`);
    return found;
  }

  hello(): Promise<HelloMessage> {
    return this.until('hello');
  }

  say(...messages: ServerMessage[]): void {
    for (const message of messages) this.socket.send(JSON.stringify(message));
  }

  sayText(text: string): void {
    this.socket.send(text);
  }

  /** Settles when the client's WebSocket has answered. */
  async ping(): Promise<void> {
    this.socket.ping();
    await once(this.socket, 'pong');
  }

  close(code: number, reason: string): void {
    this.socket.close(code, reason);
  }

  cut(): void {
    this.socket.terminate();
  }
}

/** A WebSocket server that says what the test tells it to say. */
export class ScriptedBroker {
  readonly visits: Visit[] = [];
  /** The `Authorization` header of every handshake, and the URL. */
  readonly handshakes: { readonly authorization: string | undefined; readonly url: string | undefined }[] =
    [];

  private constructor(private readonly server: WebSocketServer) {
    server.on('connection', (socket, { headers, url }) => {
      this.handshakes.push({ authorization: headers.authorization, url });
      this.visits.push(new Visit(socket));
    });
  }

  static async start(): Promise<ScriptedBroker> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    return new ScriptedBroker(server);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1/connect`;
  }

  /** The nth connection, counted from 1. */
  async visit(nth: number): Promise<Visit> {
    await eventually(() => this.visits.length >= nth);
    const visit = this.visits[nth - 1];
    if (visit === undefined) throw new Error(`no visit ${nth}`);
    return visit;
  }

  stop(): void {
    for (const socket of this.server.clients) socket.terminate();
    this.server.close();
  }
}

/** Starts a client, and keeps the events that it tells. */
export function observe(url: string, options: Partial<ConnectOptions> = {}) {
  const client = connect({
    url,
    getToken: () => 'a-token',
    machine: { id: 'm1', name: 'Desk' },
    backoff: { firstMs: 1, maxMs: 5 },
    ...options,
  });
  const told: { readonly name: EventName; readonly event: ClientEvents[EventName] }[] = [];
  const names: readonly EventName[] = [
    'state',
    'welcome',
    'lease',
    'evicted',
    'conflict',
    'denied',
    'jeopardy',
    'recovered',
    'leaseExpired',
    'error',
    'closed',
    'reconnecting',
  ];
  for (const name of names) client.on(name, (event) => told.push({ name, event }));
  const all = (name: EventName) => told.filter((one) => one.name === name).map((one) => one.event);
  const state = (wanted: string) => eventually(() => client.state === wanted);
  const event = (name: EventName) => eventually(() => all(name).length > 0);
  return { client, all, state, event };
}
