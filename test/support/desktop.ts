import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';
import type { HelloMessage, ServerMessage } from '../../packages/client/src/protocol/messages.js';
import { tokenFor } from './node.js';

type OfType<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>;

/** A desktop program that speaks the bare protocol and remembers what it was told. */
export class Desktop {
  readonly received: ServerMessage[] = [];
  closed: { readonly code: number; readonly reason: string } | null = null;
  #waiters = new Set<() => void>();

  private constructor(readonly ws: WebSocket) {
    ws.on('message', (data) => {
      this.received.push(JSON.parse(String(data)) as ServerMessage);
      this.#wake();
    });
    ws.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
      this.#wake();
    });
    ws.on('error', () => this.#wake());
  }

  /** Opens a connection; sends nothing yet. */
  static async open(
    port: number,
    token: string | null,
    options: ClientOptions = {},
    onRefused?: (response: IncomingMessage) => void,
    url = `ws://127.0.0.1:${port}/v1/connect`,
  ): Promise<Desktop> {
    const headers = token === null ? {} : { authorization: `Bearer ${token}` };
    const ws = new WebSocket(url, 'soleseat.v1', { headers, ...options });
    const desktop = new Desktop(ws);
    if (onRefused !== undefined) ws.on('unexpected-response', (_, response) => onRefused(response));
    await once(ws, 'open');
    return desktop;
  }

  /** Opens a connection and says hello. */
  static async hello(
    port: number,
    user: string,
    machineId: string,
    more: Partial<HelloMessage> = {},
  ): Promise<Desktop> {
    const desktop = await Desktop.open(port, tokenFor(user));
    desktop.say({ type: 'hello', machine: { id: machineId, name: machineId }, ...more });
    return desktop;
  }

  say(message: object): void {
    this.ws.send(JSON.stringify(message));
  }

  find<T extends ServerMessage['type']>(type: T): OfType<T> | undefined {
    return this.received.find((message): message is OfType<T> => message.type === type);
  }

  /** The newest epoch that it was told of; 0 before the first. */
  get epoch(): number {
    const told = this.received.filter((one) => one.type === 'welcome' || one.type === 'lease');
    return told.at(-1)?.epoch ?? 0;
  }

  /** The first message of that type, once it has come. Rejects when the connection closes without it. */
  async told<T extends ServerMessage['type']>(type: T): Promise<OfType<T>> {
    await this.until(() => this.find(type) !== undefined || this.closed !== null);
    const message = this.find(type);
    if (message === undefined)
      throw new Error(
        `closed ${JSON.stringify(this.closed)} without ${type}: ${JSON.stringify(this.received)}`,
      );
    return message;
  }

  /** Waits until all that the node sent before now is here: a node answers a ping in its turn. */
  async caughtUp(): Promise<void> {
    const answered = once(this.ws, 'pong');
    this.ws.ping();
    await answered;
  }

  async close(): Promise<{ readonly code: number; readonly reason: string }> {
    await this.until(() => this.closed !== null);
    return this.closed ?? { code: 0, reason: '' };
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.add(resolve));
  }

  #wake(): void {
    for (const wake of this.#waiters) wake();
    this.#waiters.clear();
  }
}

/** What the client library does by itself: the same session on a new connection, never stealing. */
export async function resume(port: number, user: string, machine: string, lost: Desktop): Promise<Desktop> {
  const { sessionId, epoch } = await lost.told('welcome');
  return Desktop.hello(port, user, machine, { resume: { sessionId, epoch }, onConflict: 'deny' });
}
