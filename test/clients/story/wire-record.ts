import { monotonicMs } from '../../../chaos/timing.js';
import { FrameReader, Opcode } from '../../../chaos/wire.js';
import type { ClientMessage, ServerMessage } from '../../../packages/client/src/protocol/messages.js';

/** What a broker sent: a message, or the frame that ends the connection. */
export type Sent = ServerMessage | { readonly type: 'close'; readonly code: number; readonly reason: string };

/** One thing that a broker sent. All times are CLOCK_MONOTONIC in ms, which is one clock for all processes. */
export interface Told {
  readonly sent: Sent;
  readonly connection: Connection;
  /** It came from the broker. It may have had to wait in the relay afterwards. */
  readonly passedMs: number;
  /** It went on to the program. Null while it waits, and for ever where the connection broke before. */
  deliveredMs: number | null;
}

/** One connection of a program, as the relay saw it. */
export interface Connection {
  readonly number: number;
  /** The program has closed it, or lost it, or asked for its end: nothing more on it counts for the program. */
  isLeft: boolean;
}

/** Hears of each frame that matters, in the order in which it passes. */
export interface WireListener {
  onSaid(message: ClientMessage, connection: Connection): void;
  onPassed(told: Told): void;
  onDelivered(told: Told): void;
}

/** Reads the frames of all connections of one relay. It is the story's only source of what was said on the wire. */
export class WireRecord {
  #connections = 0;

  constructor(private readonly listener: WireListener) {}

  /** What `Relay` wants for each connection. */
  listen() {
    const connection: Connection = { number: ++this.#connections, isLeft: false };
    const up = new FrameReader();
    const down = new FrameReader();
    const delivered = new FrameReader();
    const waiting: (Told | null)[] = [];
    return {
      onUp: (chunk: Buffer) => {
        for (const { opcode, payload } of up.feed(chunk)) {
          if (opcode === Opcode.close) connection.isLeft = true;
          if (opcode === Opcode.text) this.listener.onSaid(JSON.parse(payload.toString()), connection);
        }
      },
      onDown: (chunk: Buffer) => {
        const frames = down.feed(chunk);
        for (const { opcode, payload } of frames) waiting.push(this.#passed(opcode, payload, connection));
        return pieces(
          chunk,
          frames.map(({ endInChunk }) => endInChunk),
        );
      },
      onDelivered: (piece: Buffer) => {
        for (const _ of delivered.feed(piece)) {
          const told = waiting.shift();
          if (!told || connection.isLeft) continue;
          told.deliveredMs = monotonicMs();
          this.listener.onDelivered(told);
        }
      },
      onLeft: () => {
        connection.isLeft = true;
      },
    };
  }

  /** Null for pings and the like. */
  #passed(opcode: number, payload: Buffer, connection: Connection): Told | null {
    const sent = sentBy(opcode, payload);
    if (sent === null) return null;
    const told: Told = { sent, connection, passedMs: monotonicMs(), deliveredMs: null };
    this.listener.onPassed(told);
    return told;
  }
}

function sentBy(opcode: number, payload: Buffer): Sent | null {
  if (opcode === Opcode.text) return JSON.parse(payload.toString()) as ServerMessage;
  if (opcode !== Opcode.close) return null;
  if (payload.length < 2) return { type: 'close', code: 1005, reason: '' };
  return { type: 'close', code: payload.readUInt16BE(0), reason: payload.toString('utf8', 2) };
}

/** The chunk, cut behind each frame that ends in it, so that the relay can hold what follows a frame. */
function pieces(chunk: Buffer, ends: readonly number[]): Buffer[] {
  const starts = [0, ...ends];
  return [...ends, chunk.length]
    .map((end, index) => chunk.subarray(starts[index], end))
    .filter((piece) => piece.length > 0);
}
