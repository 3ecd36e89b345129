import type { RawData } from 'ws';
import type { ClientMessage } from '#client/protocol/messages.js';
import type { Clock } from '../base/clock.js';
import type { Standstill } from '../base/standstill.js';
import type { TimerWheel, WheelTimer } from '../base/timer-wheel.js';
import { parseClientMessage, type Violation } from '../protocol/parse.js';
import { Allowance } from './allowance.js';
import type { Connection } from './connection.js';
import type { Traffic } from './traffic.js';

export interface InboundParts {
  readonly wheel: TimerWheel;
  readonly clock: Clock;
  readonly traffic: Traffic;
  readonly standstill: Standstill;
  readonly helloTimeoutMs: number;
  readonly messagesPerRenewal: number;
  readonly renewEveryMs: number;
}

/** The receiver of the messages that have been read. */
export interface Listener {
  /** Whether a claim is under way: what comes meanwhile is handled after its answer. */
  readonly isBusy: boolean;
  readonly hasHello: boolean;
  handle(message: ClientMessage): void;
}

const STRIKES = 3;

/** What comes in on one connection: counted, read, and handed on in its order at the right moment. */
export class Inbound {
  /** Came while a claim was under way or after a standstill; as many as the allowance lets through. */
  #waiting: ClientMessage[] = [];
  /** After a standstill: until all sockets have been read and, before a claim, until the peer has shown that it lives. */
  #isHeld = false;
  #signTimer: WheelTimer | null = null;
  #strikes = 0;
  readonly #allowance: Allowance;

  constructor(
    private readonly connection: Connection,
    private readonly listener: Listener,
    private readonly parts: InboundParts,
  ) {
    this.#allowance = new Allowance(parts.clock, parts.messagesPerRenewal, parts.renewEveryMs);
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Whether a message of this type waits to be handled. */
  awaits(type: ClientMessage['type']): boolean {
    return this.#waiting.some((message) => message.type === type);
  }

  message(data: RawData, isBinary: boolean): void {
    if (this.connection.isEnded || !this.#countFrame()) return;
    if (isBinary) {
      this.connection.end('binary_not_supported');
      return;
    }
    this.#heard();
    const parsed = parseClientMessage(String(data));
    this.parts.traffic.received(parsed.ok ? parsed.message.type : 'invalid', (data as Buffer).length);
    if (parsed.ok) this.#dispatch(parsed.message);
    else this.#refuse(parsed.violation, parsed.about);
  }

  ping(data: Buffer): void {
    if (!this.#countFrame()) return;
    this.connection.pong(data);
    this.#heard();
  }

  /** A peer may send pongs that nobody asked for (RFC 6455 section 5.5.3), but not without end. */
  pong(): void {
    if (!this.#countFrame()) return;
    this.connection.ponged();
    this.#heard();
  }

  /** The claim has been answered: what came meanwhile has its turn. */
  resume(): void {
    for (const message of this.#waiting.splice(0)) this.#dispatch(message);
  }

  /** An answer to a message that may not come, or not now; the third closes. */
  strike(violation: Violation): void {
    this.#strikes++;
    const notice = { type: 'error', ...violation } as const;
    if (this.#strikes >= STRIKES) this.connection.end('bad_request', notice);
    else this.connection.send(notice);
  }

  stop(): void {
    this.#signTimer?.cancel();
    this.#signTimer = null;
  }

  #dispatch(message: ClientMessage): void {
    if (this.connection.isEnded) return;
    // Before each message, since a process that was stopped goes on by reading, before any timer runs.
    if (this.parts.standstill.look() && !this.#isHeld) {
      this.#isHeld = true;
      this.parts.standstill.afterReading(() => this.#goOn());
    }
    if (this.#isHeld || this.listener.isBusy) this.#waiting.push(message);
    else this.listener.handle(message);
  }

  /** Promise 15: a `hello` that lay in the socket of a node that stood still takes no seat for somebody who has gone. */
  #goOn(): void {
    if (!this.connection.isOpen) return;
    if (!this.awaits('hello') && !this.awaits('takeover')) {
      this.#release();
      return;
    }
    // All that lay in the socket has been read. So whatever comes now was sent by somebody who is still there.
    this.connection.askForSign();
    this.#signTimer = this.parts.wheel.after(this.parts.helloTimeoutMs, () =>
      this.connection.end('hello_timeout'),
    );
  }

  #heard(): void {
    this.parts.standstill.heard();
    this.connection.heard();
    if (this.#signTimer !== null) this.#release();
  }

  #release(): void {
    this.stop();
    this.#isHeld = false;
    if (!this.listener.isBusy) this.resume();
  }

  /** Strikes are for a client that has been understood once: a `hello` that cannot be read never will be. [broker-bad-hello] */
  #refuse(violation: Violation, about: string | null): void {
    const notice = { type: 'error', ...violation } as const;
    const hasHello = this.listener.hasHello || this.awaits('hello');
    if (hasHello && about === 'hello') this.strike({ code: 'bad_message', message: 'hello comes once' });
    else if (violation.code === 'unsupported') this.connection.send(notice);
    else if (!hasHello && (about === 'hello' || about === null)) this.connection.end('bad_request', notice);
    else this.strike(violation);
  }

  #countFrame(): boolean {
    const retryAfterMs = this.#allowance.take();
    if (retryAfterMs === null) return true;
    this.connection.end('rate_limited', {
      type: 'error',
      code: 'rate_limited',
      message: 'too many messages',
      retryAfterMs,
    });
    return false;
  }
}
