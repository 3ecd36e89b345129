import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { type CloseReason, codeOf } from '#client/protocol/close-codes.js';
import type { ServerMessage } from '#client/protocol/messages.js';
import { plainAddress } from '../base/address.js';
import type { Clock } from '../base/clock.js';
import type { Metrics } from '../base/metrics.js';
import type { TimerWheel } from '../base/timer-wheel.js';
import { encodeMessage, isTimed } from '../protocol/encode.js';
import type { Link } from '../session/link.js';
import type { FractionReport } from './fraction-report.js';
import type { Traffic } from './traffic.js';

export interface ConnectionParts {
  readonly wheel: TimerWheel;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly traffic: Traffic;
  readonly queueBytes: number;
  readonly fractions: FractionReport;
}

/** The codes of ws for a peer that breaks RFC 6455. */
type FaultCode = 1002 | 1007 | 1008 | 1009;

/** A peer that ignores the close is cut off after this. ws itself would wait for 30 s. */
const CLOSE_WAIT_MS = 2000;
/** With what ws closes when it reads a frame that it cannot take; 1002 for whatever is not here. */
const closeCodeOfFault: Readonly<Record<string, FaultCode>> = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
};
/** Two pings in a row: after a stall of the node the first answer may still lie unread in the socket. */
const UNANSWERED_PINGS = 2;
/** What the ping holds that a node sends before it acts on an old `hello`. */
const SIGN = 'are you there';

/** The codes that a peer may send are many; these a library or a person means. */
const peerCodes = [1000, 1001, 1002, 1006, 1007, 1009] as const;

/** One WebSocket. The one file that writes to sockets and closes them. */
export class Connection implements Link {
  #isEnded = false;
  #unansweredPings = 0;
  /** Monotonic ms of the oldest ping without a pong, 0 when there is none. */
  #pingedAtMs = 0;
  /** Monotonic ms of the first message that tells its age: the zero of this connection's time. */
  #firstAnswerMs: number | null = null;

  constructor(
    private readonly ws: WebSocket,
    private readonly socket: Socket,
    private readonly parts: ConnectionParts,
    /** With why: the close's reason, or the code of a close that was not ours. */
    private readonly onEnded: (reason: string) => void,
    /** The peer's address as trusted proxies tell it; null where its socket tells it. */
    private readonly forwardedAddress: string | null = null,
  ) {}

  get address(): string {
    return plainAddress(this.forwardedAddress ?? this.socket.remoteAddress ?? '');
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Whether the peer is still there, as far as the node has read: its close ends this before it has been answered. */
  get isOpen(): boolean {
    return !this.#isEnded && this.ws.readyState === this.ws.OPEN;
  }

  send(message: ServerMessage): void {
    if (this.#mayWrite()) this.#write(message);
  }

  pingWith(message: ServerMessage | null): void {
    if (!this.#mayWrite()) return;
    this.socket.cork();
    this.#unansweredPings++;
    if (this.#pingedAtMs === 0) this.#pingedAtMs = this.parts.clock();
    this.ws.ping();
    if (message !== null) this.#write(message);
    this.socket.uncork();
  }

  /** A ping of its own, to learn whether the peer is there at this moment. */
  askForSign(): void {
    if (!this.#mayWrite()) return;
    if (this.#pingedAtMs === 0) this.#pingedAtMs = this.parts.clock();
    this.ws.ping(SIGN);
  }

  pong(data: Buffer): void {
    if (this.#mayWrite()) this.ws.pong(data);
  }

  /** Anything that came in, a pong above all, shows that the peer lives. */
  heard(): void {
    this.#unansweredPings = 0;
  }

  /** The peer answered a ping. */
  ponged(): void {
    this.heard();
    if (this.#pingedAtMs === 0) return;
    this.parts.metrics.pingSeconds.observe((this.parts.clock() - this.#pingedAtMs) / 1000);
    this.#pingedAtMs = 0;
  }

  isSilent(): boolean {
    return this.#unansweredPings >= UNANSWERED_PINGS;
  }

  end(reason: CloseReason, notice?: ServerMessage, onClosed?: (isAnswered: boolean) => void): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (this.ws.readyState === this.ws.OPEN) {
      this.socket.cork();
      if (notice !== undefined) this.#write(notice);
      this.ws.close(codeOf(reason), reason);
      this.socket.uncork();
      // Promise 16: who floods is heard no further, not even for the answer to the close.
      if (reason === 'rate_limited') this.ws.pause();
      this.#cutOffLater();
      // A peer answers a close with its code (RFC 6455 section 5.5.1); a lost connection has another.
      if (onClosed !== undefined) this.ws.once('close', (code: number) => onClosed(code === codeOf(reason)));
    } else onClosed?.(false);
    this.parts.metrics.closes.inc({ code: codeOf(reason) });
    this.onEnded(reason);
  }

  /** The peer broke RFC 6455, as the code of ws's error says. ws has closed by itself, and reads no further. */
  brokenByPeer(fault: string): void {
    if (this.#isEnded) return;
    const code = closeCodeOfFault[fault] ?? 1002;
    this.#isEnded = true;
    this.#cutOffLater();
    this.parts.metrics.closes.inc({ code });
    this.onEnded(String(code));
  }

  /** The peer or the network closed first. */
  closedByPeer(code: number): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.parts.metrics.closes.inc({ code: peerCodes.find((one) => one === code) ?? 'other' });
    this.onEnded(String(code));
  }

  #cutOffLater(): void {
    const cutOff = this.parts.wheel.after(CLOSE_WAIT_MS, () => this.ws.terminate());
    this.ws.once('close', () => cutOff.cancel());
  }

  #write(message: ServerMessage): void {
    const { text, mended } = encodeMessage(message, this.#elapsedMs(message));
    if (mended.length > 0) this.parts.fractions.report(message.type, mended);
    this.parts.traffic.sent(message.type, Buffer.byteLength(text));
    this.ws.send(text);
  }

  /**
   * Promise 15: how long after the connection's zero a message was written. Zero is the first message that tells its age.
   *
   * The client reckons `base = sentAt − elapsedMs` from the `welcome` or `conflict` that answers its `hello`, sent at
   * `sentAt`. This is safe wherever zero lies: the answer is written after its `hello` was sent, so that
   * `sentAt <= zero + elapsedMs`, and base is never after zero. Where an `error` came before the valid `hello`, zero lies
   * before that `hello`, and elapsedMs is larger by as much.
   */
  #elapsedMs({ type }: ServerMessage): number {
    if (!isTimed(type)) return 0;
    const nowMs = this.parts.clock();
    this.#firstAnswerMs ??= nowMs;
    return nowMs - this.#firstAnswerMs;
  }

  #mayWrite(): boolean {
    if (!this.isOpen) return false;
    if (this.ws.bufferedAmount <= this.parts.queueBytes) return true;
    this.parts.metrics.slowConsumers.inc();
    this.end('slow_consumer');
    return false;
  }
}
