import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A handshake as a list of lines, which the tests change. */
export const goodLines = [
  'GET /v1/connect HTTP/1.1',
  'Host: 127.0.0.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol: soleseat.v1',
];

export interface HttpAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

/** Sends bytes on a new connection and reads until the broker closes it. */
export async function exchange(port: number, bytes: string | Buffer): Promise<HttpAnswer> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.write(bytes);
  await once(socket, 'close');
  return readAnswer(Buffer.concat(chunks).toString('latin1'));
}

export function readAnswer(text: string): HttpAnswer {
  const lines = (text.split('\r\n\r\n', 1)[0] ?? '').split('\r\n');
  const headers = lines.slice(1).map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status: Number(lines[0]?.split(' ')[1] ?? 0), headers: new Map(headers), text };
}

/** The good handshake without the lines of these names, and with these lines more. */
export function handshake(without: readonly string[] = [], more: readonly string[] = []): string {
  const kept = goodLines.filter((line) => !without.some((name) => line.startsWith(`${name}:`)));
  return `${[...kept, ...more].join('\r\n')}\r\n\r\n`;
}

export interface FrameForm {
  readonly opcode: number;
  readonly payload?: string | Buffer;
  readonly isFinal?: boolean;
  readonly rsv?: number;
  readonly isMasked?: boolean;
  /** What the length field says, where it is not the payload's length. Always in its 64-bit form. */
  readonly claimedLength?: bigint;
}

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** One WebSocket frame (RFC 6455 section 5.2), well formed or not. */
export function frame(form: FrameForm): Buffer {
  const { opcode, isFinal = true, rsv = 0, isMasked = true, claimedLength } = form;
  const payload = Buffer.from(form.payload ?? '');
  const first = (isFinal ? 0x80 : 0) | (rsv << 4) | opcode;
  const maskBit = isMasked ? 0x80 : 0;
  // A mask of zeros leaves the payload as it is.
  const mask = Buffer.alloc(isMasked ? 4 : 0);
  return Buffer.concat([
    Buffer.from([first]),
    lengthField(payload.length, maskBit, claimedLength),
    mask,
    payload,
  ]);
}

function lengthField(length: number, maskBit: number, claimed: bigint | undefined): Buffer {
  if (claimed !== undefined) {
    const field = Buffer.alloc(9);
    field[0] = maskBit | 127;
    field.writeBigUInt64BE(claimed, 1);
    return field;
  }
  if (length < 126) return Buffer.from([maskBit | length]);
  const field = Buffer.alloc(3);
  field[0] = maskBit | 126;
  field.writeUInt16BE(length, 1);
  return field;
}

export function closeFrame(code: number, reason: string | Buffer = ''): Buffer {
  const codeBytes = Buffer.alloc(2);
  codeBytes.writeUInt16BE(code);
  return frame({ opcode: opcodes.close, payload: Buffer.concat([codeBytes, Buffer.from(reason)]) });
}

/**
 * A client below the WebSocket library: it answers nothing by itself, neither beats nor closes. Only a node that stood
 * still, as one on a busy machine may, is told that the client is there: such a ping has a payload.
 */
export class RawPeer {
  readonly texts: string[] = [];
  closeCode: number | null = null;
  /** The HTTP status that answered the handshake. */
  status = 0;
  isCutOff = false;
  #unread: Buffer = Buffer.alloc(0);
  #waiters = new Set<() => void>();

  private constructor(readonly socket: Socket) {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      this.#unread = Buffer.concat([this.#unread, chunk]);
      this.#read();
      this.#wake();
    });
    socket.on('close', () => {
      this.isCutOff = true;
      this.#wake();
    });
  }

  /** Opens a connection through a real handshake, the good one unless told otherwise. */
  static async open(
    port: number,
    token: string | null,
    lines = handshake([], token === null ? [] : [`Authorization: Bearer ${token}`]),
  ): Promise<RawPeer> {
    const peer = new RawPeer(connect(port, '127.0.0.1'));
    peer.write(Buffer.from(lines, 'latin1'));
    await peer.until(() => peer.status !== 0 || peer.isCutOff);
    return peer;
  }

  write(...frames: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  say(message: object): void {
    this.write(frame({ opcode: opcodes.text, payload: JSON.stringify(message) }));
  }

  /** The answer to a handshake that was not let through. */
  async refusal(): Promise<HttpAnswer> {
    await this.until(() => this.isCutOff);
    return readAnswer(this.#unread.toString('latin1'));
  }

  /** The code of the broker's close frame; null when the connection went without one. */
  async closed(): Promise<number | null> {
    await this.until(() => this.closeCode !== null || this.isCutOff);
    return this.closeCode;
  }

  /** Waits until the broker has said a message of that type. */
  async told(type: string): Promise<void> {
    await this.until(() => this.isCutOff || this.texts.some((text) => text.includes(`"type":"${type}"`)));
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.add(resolve));
  }

  #read(): void {
    if (this.status === 0) {
      const end = this.#unread.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.status = readAnswer(this.#unread.toString('latin1')).status;
      if (this.status !== 101) return;
      this.#unread = this.#unread.subarray(end + 4);
    }
    if (this.status !== 101) return;
    let at = 0;
    while (this.#unread.length >= at + 2) {
      const form = this.#unread[at + 1] ?? 0;
      const start = at + (form === 126 ? 4 : 2);
      if (this.#unread.length < start) break;
      const length = form === 126 ? this.#unread.readUInt16BE(at + 2) : form;
      if (this.#unread.length < start + length) break;
      this.#take((this.#unread[at] ?? 0) & 0x0f, this.#unread.subarray(start, start + length));
      at = start + length;
    }
    this.#unread = this.#unread.subarray(at);
  }

  #take(opcode: number, payload: Buffer): void {
    if (opcode === opcodes.text) this.texts.push(payload.toString());
    if (opcode === opcodes.ping && payload.length > 0) this.write(frame({ opcode: opcodes.pong, payload }));
    if (opcode === opcodes.close) this.closeCode = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
  }

  #wake(): void {
    for (const wake of this.#waiters) wake();
    this.#waiters.clear();
  }
}
