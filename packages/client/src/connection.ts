import { type Cause, closeCause, statusCause } from './cause.js';
import type {
  ClientMessage,
  ErrorMessage,
  EvictedMessage,
  HelloMessage,
  ServerMessage,
} from './protocol/messages.js';
import { SUBPROTOCOL } from './protocol/messages.js';
import { readServerMessage } from './read-message.js';
import type { Vetting } from './vetting.js';

/** The part of a WebSocket that the client uses; the browser's own and that of `ws` both have it. */
export interface WebSocketLike {
  readonly readyState: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: 'close',
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void;
  /** Only `ws` shows pings, the answer to a refused handshake and what is wrong with a socket; no browser does. */
  on?(type: 'ping', listener: () => void): unknown;
  on?(type: 'error', listener: (fault: { readonly code?: unknown }) => void): unknown;
  on?(type: 'unexpected-response', listener: (request: Refused, response: Refusal) => void): unknown;
}

/** The request of a refused handshake, of `node:http`. */
interface Refused {
  destroy(): void;
}
interface Refusal {
  readonly statusCode?: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface WebSocketClass {
  new (url: string, protocols: string[]): WebSocketLike;
  /** What an error of its socket means, on a platform that shows one. */
  causeOf?(fault: { readonly code?: unknown }): Cause;
}

/** A WebSocket that had to be looked for, and what the program should know about it. */
export interface FoundSocket {
  readonly socketClass: WebSocketClass;
  readonly warning?: string;
}

/** The code of a close that no close frame announced (RFC 6455 section 7.1.5). */
export const NO_CLOSE_FRAME = 1006;
/** Sent when this end leaves without releasing. Not final: to the broker it is a lost connection. */
export const LEFT = 4000; // [leave-not-1000]
const OPEN = 1;

/** What was said on a connection that matters once it is closed. */
export interface Seen {
  evicted?: EvictedMessage;
  error?: Pick<ErrorMessage, 'message'>;
  drainWithinMs?: number;
  retryAfterMs?: number;
  /** What was asked for with `takeover` and is not answered yet. */
  claiming?: 'seat' | 'free seat' | undefined;
  /** The holder is being asked. */
  isAsking?: boolean;
  /** A person clicked meanwhile. */
  wantsSeat?: boolean;
  /** Why it ended, where this end knows. */
  cause?: Cause;
  /** Whether the handshake had gone well. */
  wasOpen?: boolean;
}

/** The session goes on: an error that came before it says nothing of a close that comes later. */
export function forgetError(seen: Seen): void {
  delete seen.error;
  delete seen.retryAfterMs;
}

export interface ConnectionOptions {
  readonly url: string;
  readonly socketClass: WebSocketClass;
  readonly hello: HelloMessage;
  /** From dialling to the first `welcome` or `conflict`. */
  readonly timeoutMs: number;
  /** The time of `hello` is taken here: everything it is answered with came later. */
  readonly onHello: () => void;
  readonly onMessage: (message: ServerMessage) => void;
  readonly vet: Vetting | undefined;
  /** With `vet`: what answered cannot prove who it is. */
  readonly onUntrusted: (message: string) => void;
  /** Called where the platform shows pings. */
  readonly onPing: () => void;
  readonly onClose: (code: number, reason: string) => void;
}

/**
 * One WebSocket, from dialling to its end. `hello` is sent as soon as it opens.
 *
 * The token travels in `hello` and not in the handshake: a handshake that is refused gives an HTTP status,
 * which no browser lets a page read (it sees 1006, as for a dead network), whereas a close code and its
 * reason can be read everywhere. Only so can "fetch a new token" be told from "try again later".
 */
export class Connection {
  readonly seen: Seen = {};
  private readonly socket: WebSocketLike;
  private readonly timer: ReturnType<typeof setTimeout>;
  private ended = false;

  /** Throws what the WebSocket's constructor throws. */
  constructor(private readonly options: ConnectionOptions) {
    this.socket = new options.socketClass(options.url, [SUBPROTOCOL]); // [offer-subprotocol] [pong] [fragments]
    this.timer = setTimeout(
      // [answer-timeout]
      () => this.giveUp({ kind: 'timeout', message: 'The broker gave no answer in time.' }),
      options.timeoutMs,
    );
    this.socket.addEventListener('open', () => this.greet());
    this.socket.addEventListener('message', (event) => this.receive(event.data));
    this.socket.on?.('ping', () => {
      if (!this.ended) options.onPing();
    });
    this.socket.on?.('unexpected-response', (request, { statusCode = 0, headers }) => {
      const retryAfter = headers['retry-after'];
      this.seen.cause = statusCause(statusCode, typeof retryAfter === 'string' ? retryAfter : null);
      request.destroy();
      this.end(NO_CLOSE_FRAME, '');
    });
    this.socket.on?.('error', (fault) => {
      const cause = options.socketClass.causeOf?.(fault);
      if (cause !== undefined) this.seen.cause ??= cause;
    });
    this.socket.addEventListener('close', ({ code, reason }) => {
      if (code !== NO_CLOSE_FRAME) this.seen.cause ??= closeCause(code, reason);
      const end = () => this.end(code, reason);
      if (options.vet === undefined) end();
      else options.vet.after(end);
    });
    // The close that follows an error tells all there is; `ws` throws where nobody listens.
    this.socket.addEventListener('error', () => {});
  }

  /** False where the socket is not open: the message is then lost. */
  send(message: ClientMessage): boolean {
    if (this.ended || this.socket.readyState !== OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  /** Closes, and from now on ignores all that still comes from this socket. */
  drop(code: number, reason: string): void {
    this.ended = true;
    clearTimeout(this.timer);
    this.socket.close(code, reason);
  }

  /** Lost, for all that this end can see. Does not wait for the socket to agree: with a silent peer that takes long. */
  giveUp(cause: Cause): void {
    this.seen.cause = cause;
    this.socket.close(LEFT, 'no answer'); // [no-wait-for-close]
    this.end(NO_CLOSE_FRAME, cause.kind);
  }

  private greet(): void {
    if (this.ended) return;
    this.seen.wasOpen = true;
    this.options.onHello();
    this.send(this.options.hello); // [hello-first]
  }

  private receive(data: unknown): void {
    if (this.ended) return;
    const message = readServerMessage(data);
    if (message === null) return;
    if (message.type === 'welcome' || message.type === 'conflict') clearTimeout(this.timer);
    const { vet, hello, onMessage, onUntrusted } = this.options;
    if (vet === undefined) onMessage(message);
    else
      vet.hear(message, hello.nonce ?? '', (fault) => {
        if (this.ended) return;
        if (fault === null) onMessage(message);
        else onUntrusted(fault);
      });
  }

  private end(code: number, reason: string): void {
    if (this.ended) return;
    this.ended = true;
    clearTimeout(this.timer);
    this.options.onClose(code, reason);
  }
}
