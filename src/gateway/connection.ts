import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Metrics } from '../base/metrics.js';
import type { TimerWheel } from '../base/timer-wheel.js';
import { type CloseReason, codeOf } from '../protocol/close-codes.js';
import type { ServerMessage } from '../protocol/messages.js';
import type { Link } from '../session/link.js';

export interface ConnectionParts {
  readonly wheel: TimerWheel;
  readonly metrics: Metrics;
  readonly queueBytes: number;
}

/** A peer that ignores the close is cut off after this. ws itself would wait for 30 s. */
const CLOSE_WAIT_MS = 2000;
/** Two pings in a row: after a stall of the node the first answer may still lie unread in the socket. */
const UNANSWERED_PINGS = 2;

/** One WebSocket. The one file that writes to sockets and closes them. */
export class Connection implements Link {
  #isEnded = false;
  #unansweredPings = 0;

  constructor(
    private readonly ws: WebSocket,
    private readonly socket: Socket,
    private readonly parts: ConnectionParts,
    private readonly onEnded: () => void,
  ) {}

  get isEnded(): boolean {
    return this.#isEnded;
  }

  send(message: ServerMessage): void {
    if (this.#mayWrite()) this.ws.send(JSON.stringify(message));
  }

  pingWith(message: ServerMessage | null): void {
    if (!this.#mayWrite()) return;
    this.socket.cork();
    this.#unansweredPings++;
    this.ws.ping();
    if (message !== null) this.ws.send(JSON.stringify(message));
    this.socket.uncork();
  }

  pong(data: Buffer): void {
    if (this.#mayWrite()) this.ws.pong(data);
  }

  /** Anything that came in, a pong above all, shows that the peer lives. */
  heard(): void {
    this.#unansweredPings = 0;
  }

  isSilent(): boolean {
    return this.#unansweredPings >= UNANSWERED_PINGS;
  }

  end(reason: CloseReason, notice?: ServerMessage): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (this.ws.readyState === this.ws.OPEN) {
      this.socket.cork();
      if (notice !== undefined) this.ws.send(JSON.stringify(notice));
      this.ws.close(codeOf(reason), reason);
      this.socket.uncork();
      this.#cutOffLater();
    }
    this.parts.metrics.closes.inc({ code: codeOf(reason) });
    this.onEnded();
  }

  /** The peer broke RFC 6455. ws has sent this close code itself, and reads no further. */
  brokenByPeer(code: number): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#cutOffLater();
    this.parts.metrics.closes.inc({ code });
    this.onEnded();
  }

  /** The peer or the network closed first. */
  closedByPeer(code: number): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    // The codes that a peer may send are many; by name only those that a library or a person means.
    this.parts.metrics.closes.inc({
      code: [1000, 1001, 1002, 1006, 1007, 1009].includes(code) ? code : 'other',
    });
    this.onEnded();
  }

  #cutOffLater(): void {
    const cutOff = this.parts.wheel.after(CLOSE_WAIT_MS, () => this.ws.terminate());
    this.ws.once('close', () => cutOff.cancel());
  }

  #mayWrite(): boolean {
    if (this.#isEnded || this.ws.readyState !== this.ws.OPEN) return false;
    if (this.ws.bufferedAmount <= this.parts.queueBytes) return true;
    this.end('slow_consumer');
    return false;
  }
}
