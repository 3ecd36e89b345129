import { defaultBackoff, waitBeforeReconnect } from './backoff.js';
import type { Cause } from './cause.js';
import {
  Connection,
  type FoundSocket,
  forgetError,
  NO_CLOSE_FRAME,
  type Seen,
  type WebSocketClass,
} from './connection.js';
import type { ClientEvents } from './events.js';
import { Heartbeat } from './heartbeat.js';
import { helloOf, safely } from './hello.js';
import type { ConnectOptions, TokenNeed } from './options.js';
import { Probe } from './probe.js';
import type { ClientMessage, ConflictPolicy, ResumeRequest, ServerMessage } from './protocol/messages.js';
import { within } from './time-limit.js';
import { TokenRefresh } from './token-refresh.js';
import { WakeWatch } from './wake.js';

const CONNECT_TIMEOUT_MS = 10_000;
const TOKEN_TIMEOUT_MS = 15_000;
/** Closes after which the same token would be refused again. */
const needAfter: ReadonlyMap<number, TokenNeed> = new Map([
  [4001, 'token_expired'],
  [4002, 'token_not_yet_accepted'],
]);
const UNAUTHORIZED = 401;
/** Random bytes in the name of an instance. */
const INSTANCE_BYTES = 16;

export interface DiallerParts {
  readonly options: ConnectOptions;
  /** A promise, where a proxy's library has to be loaded first. */
  readonly socketClass: WebSocketClass | Promise<FoundSocket>;
  /** The session to ask for again, if there is one. */
  readonly resume: () => ResumeRequest | null;
  /** `hello` is about to be sent on a new connection. */
  readonly onHello: () => void;
  /** There is no connection any more, for whatever reason. */
  readonly onDisconnected: () => void;
  readonly onMessage: (message: ServerMessage, seen: Seen) => void;
  /** The connection ended, or an attempt came to nothing. */
  readonly onLost: (code: number, reason: string, seen: Seen) => void;
  /** What answered is not the vendor's broker. */
  readonly onUntrusted: (message: string) => void;
  readonly onFault: (fault: ClientEvents['error']) => void;
  /** This platform opens no socket to that URL: no later attempt would do better. */
  readonly onUnusable: () => void;
}

/** Keeps at most one connection: fetches the token, dials, waits, dials again. Decides nothing. */
export class Dialler {
  private connection: Connection | null = null;
  /** Grows with every attempt and stop; what was begun under an older number is stale. */
  private attempt = 0;
  /**
   * promise 15: by these two the broker knows a late `hello` of this client from a new one. One name a client, not one a
   * process: two clients in one process would end each other's sessions as if each were the other's ghost.
   */
  private readonly instance = randomName(); // [instance-new] [instance-same]
  private hellos = 0;
  private failures = 0;
  private policy: ConflictPolicy | null = null;
  /** What the next token is for. An attempt that comes to nothing changes nothing about it. */
  private need: TokenNeed = 'connect';
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly tokenRefresh: TokenRefresh;
  private readonly heartbeat = new Heartbeat(() =>
    this.giveUp({ kind: 'silence', message: 'The broker has fallen silent.' }),
  );
  private readonly wake = new WakeWatch(() => this.hurry());
  private readonly probe: Probe;
  private told: string | undefined;
  /** Of a leave: the latest `hello` showed it. */
  private ticket: string | undefined;
  private spentTicket: string | undefined;

  constructor(private readonly parts: DiallerParts) {
    const { backoff = defaultBackoff, random = Math.random } = parts.options;
    this.probe = new Probe(parts.options.url);
    this.tokenRefresh = new TokenRefresh({
      fetch: (need) => this.fetchToken(need),
      send: (token) => this.send({ type: 'refresh', token }),
      backoff,
      random,
    });
  }

  /** What was said on the open connection; null where there is none. */
  get seen(): Seen | null {
    return this.connection?.seen ?? null;
  }

  /** The policy of the attempt under way; null once it is answered. */
  get dialling(): ConflictPolicy | null {
    return this.policy;
  }

  /** A person acts: dials at once, in place of whatever was under way. */
  dial(onConflict: ConflictPolicy): void {
    void this.open(onConflict);
  }

  /** The open connection counts as lost. */
  giveUp(cause: Cause): void {
    this.connection?.giveUp(cause);
  }

  /** Dials by itself after a wait, and gives that wait. Never displaces a holder. */
  redial(code: number, seen: Seen): number {
    const { backoff = defaultBackoff, random = Math.random } = this.parts.options;
    const { retryAfterMs } = seen.cause ?? {}; // [handshake-retry-after]
    const hints = { ...seen, ...(retryAfterMs !== undefined && { retryAfterMs }) };
    const inMs = waitBeforeReconnect(this.failures++, hints, backoff, random);
    this.need = seen.cause?.status === UNAUTHORIZED ? 'token_expired' : (needAfter.get(code) ?? this.need); // [new-token] [handshake-401]
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => void this.open('deny'), inMs); // [reconnect-deny]
    // A wait that the broker asked for is no pause of ours to cut short.
    if (hints.retryAfterMs === undefined && hints.drainWithinMs === undefined) this.wake.start();
    return inMs;
  }

  /** The computer or the network is back: what is left of the wait would help nobody. */
  private hurry(): void {
    if (this.retryTimer !== undefined && this.policy === null && this.connection === null)
      void this.open('deny');
  }

  /** The broker answered the attempt. */
  answered(): void {
    this.policy = null;
    this.need = 'connect';
    this.told = undefined;
  }

  /** A `welcome` came: a leave is over whose ticket was shown. False where none was. */
  endLeave(): boolean {
    const { ticket } = this;
    this.spentTicket = ticket ?? this.spentTicket;
    this.ticket = undefined;
    return ticket !== undefined;
  }

  /** A renewal came: only now is the next loss a first one. A welcome alone may be one of a crash loop. */
  steady(): void {
    this.failures = 0;
    if (this.connection !== null) forgetError(this.connection.seen); // [error-without-close]
  }

  /** False where no connection is open. */
  send(message: ClientMessage): boolean {
    return this.connection?.send(message) ?? false;
  }

  /** The broker said that its token ends soon. */
  refresh(): void {
    this.tokenRefresh.begin();
  }

  /** The broker does not accept the new token yet: another one may do, after this time. */
  refreshAgain(inMs: number): void {
    this.tokenRefresh.again(inMs);
  }

  /** Ends the connection, the attempt and the waits, and ignores what still comes of them. */
  stop(code: number, reason: string): void {
    this.attempt++;
    this.policy = null;
    clearTimeout(this.retryTimer);
    this.retryTimer = undefined;
    this.wake.stop();
    this.tokenRefresh.stop();
    this.heartbeat.stop();
    this.connection?.drop(code, reason);
    this.connection = null;
    this.parts.onDisconnected();
  }

  private async open(onConflict: ConflictPolicy): Promise<void> {
    this.stop(4000, 'superseded here');
    const { attempt } = this;
    this.policy = onConflict;
    const token = await this.fetchToken(this.need);
    if (attempt !== this.attempt) return;
    if (token instanceof Error) {
      // [token-failure]
      const cause: Cause = { kind: 'token', message: `There is no token for the broker: ${token.message}` };
      this.lost(NO_CLOSE_FRAME, 'no token', { cause });
      return;
    }
    const socketClass = await this.socketClass();
    if (attempt === this.attempt && socketClass !== null) this.connect(socketClass, onConflict, token);
  }

  /** Null, and `onUnusable`, where there is no WebSocket to be had. */
  private async socketClass(): Promise<WebSocketClass | null> {
    const { socketClass, onFault, onUnusable } = this.parts;
    if (!(socketClass instanceof Promise)) return socketClass;
    try {
      const { socketClass: found, warning } = await socketClass;
      if (warning !== undefined && this.hellos === 0)
        onFault({ code: 'proxy_unavailable', message: warning });
      return found;
    } catch (fault) {
      onFault({ code: 'socket_unavailable', message: errorOf(fault).message });
      onUnusable();
      return null;
    }
  }

  private connect(socketClass: WebSocketClass, onConflict: ConflictPolicy, token: string): void {
    const { options, resume, onMessage, onUntrusted, onFault, onUnusable } = this.parts;
    const { url, proof, ticket, connectTimeoutMs: timeoutMs = CONNECT_TIMEOUT_MS } = options;
    try {
      const kept = safely(() => ticket?.()) ?? undefined;
      const hello = helloOf(options, {
        instance: this.instance, // [hello-instance]
        attempt: ++this.hellos, // [attempt-grows]
        onConflict,
        resume: resume() ?? undefined, // [resume-latest]
        ticket: kept === this.spentTicket ? undefined : kept, // [ticket-shown] [ticket-once]
        token,
      });
      this.ticket = hello.ticket;
      const connection = new Connection({
        url,
        socketClass,
        hello,
        timeoutMs,
        vet: proof?.vetting(),
        onUntrusted,
        onHello: this.parts.onHello,
        onMessage: (message) => {
          this.heartbeat.heard(message);
          onMessage(message, connection.seen);
        },
        onPing: () => this.heartbeat.pinged(),
        onClose: (code, reason) => void this.closed(code, reason, connection.seen, token),
      });
      this.connection = connection;
    } catch (fault) {
      onFault({ code: 'socket_unavailable', message: errorOf(fault).message });
      onUnusable();
    }
  }

  /** Where the platform does not tell why no connection came about, the broker is asked. */
  private async closed(code: number, reason: string, seen: Seen, token: string): Promise<void> {
    const { attempt } = this;
    if (seen.cause === undefined && seen.wasOpen !== true) {
      this.connection = null;
      seen.cause = await this.probe.ask(token);
      if (attempt !== this.attempt) return;
    }
    const { cause, wasOpen } = seen;
    const key = `${cause?.kind} ${cause?.status}`;
    if (cause !== undefined && wasOpen !== true && this.told !== key) {
      this.told = key;
      this.parts.onFault({ code: 'connection_failed', message: cause.message, cause });
      if (attempt !== this.attempt) return;
    }
    this.lost(code, reason, seen);
  }

  private lost(code: number, reason: string, seen: Seen): void {
    this.connection = null;
    this.policy = null;
    this.tokenRefresh.stop();
    this.parts.onDisconnected();
    this.parts.onLost(code, reason, seen);
  }

  /** An Error, and `onFault`, where there is no token to be had, or not in time. */
  private async fetchToken(need: TokenNeed): Promise<string | Error> {
    const { attempt } = this;
    const { getToken, tokenTimeoutMs = TOKEN_TIMEOUT_MS } = this.parts.options;
    let fault = new Error('getToken gave no token');
    try {
      const late = `getToken gave no token within ${tokenTimeoutMs} ms`;
      const token = await within(tokenTimeoutMs, late, () => getToken(need)); // [token-timeout]
      if (typeof token === 'string' && token !== '') return token;
    } catch (thrown) {
      fault = errorOf(thrown);
    }
    if (attempt === this.attempt) this.parts.onFault({ code: 'token_unavailable', message: fault.message });
    return fault;
  }
}

function errorOf(fault: unknown): Error {
  return fault instanceof Error ? fault : new Error(String(fault));
}

function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(INSTANCE_BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
