import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { type CloseReason, codeOf } from '#client/protocol/close-codes.js';
import type {
  ClientMessage,
  HelloMessage,
  LeaseMessage,
  ServerMessage,
  WelcomeMessage,
} from '#client/protocol/messages.js';
import { encodeMessage } from '../protocol/encode.js';
import { parseClientMessage } from '../protocol/parse.js';
import { type Grant, laterThan } from './grants.js';
import type { Transcript } from './transcript.js';

/** How one connection ended, as the script sees it. 1006: without a close frame. */
export interface Ended {
  readonly code: number;
  readonly reason: string;
  readonly atMs: number;
}

/** One accepted connection of the client, with the script at this end. */
export class Link {
  readonly messages: ClientMessage[] = [];
  /** Every text that came, as it came. */
  readonly texts: string[] = [];
  /** What the client sent against the protocol. */
  readonly violations: string[] = [];
  readonly pongs: string[] = [];
  ended: Ended | null = null;
  /** When the client was last told something about the lease. */
  toldMs = 0;
  private zeroMs: number | null = null;
  private beat: ReturnType<typeof setInterval> | undefined;

  constructor(
    readonly number: number,
    /** When the handshake came, on the clock of this process. */
    readonly dialledMs: number,
    private readonly webSocket: WebSocket,
    private readonly socket: Socket,
    private readonly transcript: Transcript,
  ) {
    webSocket.on('message', (data, isBinary) => this.receive(String(data), isBinary));
    webSocket.on('pong', (data) => {
      this.pongs.push(String(data));
      this.note('client', `pong ${data}`);
    });
    webSocket.on('error', (error) => this.violations.push(error.message));
    webSocket.on('close', (code, reason) => this.end(code, String(reason)));
  }

  get hello(): HelloMessage | null {
    const first = this.messages[0];
    return first?.type === 'hello' ? first : null;
  }

  /** Whole milliseconds since the script's first answer, as a node counts them. */
  get elapsedMs(): number {
    this.zeroMs ??= performance.now();
    return Math.floor(performance.now() - this.zeroMs);
  }

  has(type: ClientMessage['type']): boolean {
    return this.messages.some((message) => message.type === type);
  }

  /** `elapsedMs` is for a message that was under way for long: it says when the node wrote it. */
  send(message: ServerMessage, elapsedMs = this.elapsedMs): void {
    this.sendText(encodeMessage(message, elapsedMs).text);
  }

  /** Any text, also one that no broker sends. */
  sendText(text: string): void {
    this.note('script', text);
    this.toldMs = performance.now();
    this.webSocket.send(text);
  }

  /** One message in as many frames as there are parts, with a ping after the first. */
  sendFragments(parts: readonly string[]): void {
    this.note('script', `${parts.length} frames: ${parts.join(' | ')}`);
    this.toldMs = performance.now();
    parts.forEach((part, index) => {
      this.webSocket.send(part, { fin: index === parts.length - 1 });
      if (index === 0) this.webSocket.ping('between');
    });
  }

  ping(payload: string): void {
    this.note('script', `ping ${payload}`);
    this.webSocket.ping(payload);
  }

  welcome(grant: Grant, more: Partial<WelcomeMessage> & Readonly<Record<string, unknown>> = {}): void {
    const { sessionId, epoch, ttlMs, renewEveryMs } = grant;
    this.send({
      type: 'welcome',
      sessionId,
      epoch,
      resumed: false,
      ttlMs,
      renewEveryMs,
      license: { id: sessionId },
      ...more,
    });
  }

  lease(grant: Grant, more: Partial<LeaseMessage> = {}, elapsedMs = this.elapsedMs): void {
    this.send({ type: 'lease', epoch: grant.epoch, ttlMs: grant.ttlMs, ...more }, elapsedMs);
  }

  /** The answer to a `hello` that names a session: that session goes on, under a new epoch. */
  resume(grant: Grant): Grant {
    const next = laterThan(grant);
    this.welcome(next, { resumed: true });
    return next;
  }

  /** A lease and a ping at every interval, as a node does, until `rest`. */
  renew(grant: Grant): void {
    this.beat = setInterval(() => {
      if (this.ended !== null) return this.rest();
      this.lease(grant);
      this.webSocket.ping();
    }, grant.renewEveryMs);
  }

  rest(): void {
    clearInterval(this.beat);
  }

  closeFor(reason: CloseReason): void {
    this.close(codeOf(reason), reason);
  }

  close(code: number, reason = ''): void {
    this.rest();
    this.note('script', `close ${code} "${reason}"`);
    this.webSocket.close(code, reason);
  }

  /** The connection breaks: no close frame, and TCP says so. */
  cut(): void {
    this.rest();
    this.note('script', 'cuts the connection');
    this.socket.destroy();
  }

  /** From now on nothing is read or answered here, as when the network swallows all. */
  goDeaf(): void {
    this.rest();
    this.note('script', 'goes deaf: reads and answers nothing more, and leaves the connection open');
    this.socket.pause();
  }

  private receive(text: string, isBinary: boolean): void {
    this.texts.push(text);
    const parsed = parseClientMessage(text);
    if (isBinary) this.violations.push('a binary frame');
    else if (!parsed.ok) this.violations.push(`${parsed.violation.message}: ${text.slice(0, 200)}`);
    else if (parsed.message.type !== 'hello' && this.hello === null)
      this.violations.push(`${parsed.message.type} before hello`);
    else if (parsed.message.type === 'hello' && this.hello !== null) this.violations.push('a second hello');
    if (parsed.ok) this.messages.push(parsed.message);
    this.note('client', isBinary ? '(a binary frame)' : text.replace(/("token":\s*")[^"]{24}[^"]*/, '$1…'));
  }

  private end(code: number, reason: string): void {
    this.rest();
    this.ended = { code, reason, atMs: performance.now() };
    this.note('client', code === 1006 ? 'the connection is gone' : `closed ${code} "${reason}"`);
  }

  private note(actor: 'client' | 'script', text: string): void {
    this.transcript.add(actor, `[${this.number}] ${text}`);
  }
}
