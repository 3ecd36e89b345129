/** The texts that a server sends on a WebSocket, read from the bytes as they pass: whole text frames, as ours are. */
export class ServerTexts {
  readonly #frames = new FrameReader();

  constructor(private readonly onText: (text: string) => void) {}

  feed(chunk: Buffer): void {
    for (const { opcode, payload } of this.#frames.feed(chunk))
      if (opcode === Opcode.text) this.onText(payload.toString('utf8'));
  }
}

/** The kinds of frames that are read here (RFC 6455, section 5.2). */
export const Opcode = { text: 1, close: 8 } as const;

export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
  /** Where it ends in the chunk that completed it. */
  readonly endInChunk: number;
}

/** Reads the frames of one direction of a connection, behind the handshake. A refused handshake has none. */
export class FrameReader {
  #bytes = Buffer.alloc(0);
  #phase: 'handshake' | 'frames' | 'refused' = 'handshake';

  /** The frames that this chunk completes. */
  feed(chunk: Buffer): Frame[] {
    if (this.#phase === 'refused') return [];
    let chunkAt = this.#bytes.length;
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const advance = (bytes: number) => {
      this.#bytes = this.#bytes.subarray(bytes);
      chunkAt -= bytes;
    };
    if (this.#phase === 'handshake') {
      const end = this.#bytes.indexOf('\r\n\r\n');
      if (end < 0) return [];
      this.#phase = /^(GET |HTTP\/1\.1 101 )/.test(this.#bytes.toString('latin1', 0, 16))
        ? 'frames'
        : 'refused';
      if (this.#phase === 'refused') return [];
      advance(end + 4);
    }
    const frames: Frame[] = [];
    for (let frame = readFrame(this.#bytes); frame !== null; frame = readFrame(this.#bytes)) {
      const { opcode, payload, end } = frame;
      frames.push({ opcode, payload, endInChunk: end - chunkAt });
      advance(end);
    }
    return frames;
  }
}

const LONG = 126;
const VERY_LONG = 127;
const MASK_BYTES = 4;

/** The frame at the beginning; null where it is not there as a whole. A client masks what it sends, a server does not. */
function readFrame(
  bytes: Buffer,
): { readonly opcode: number; readonly payload: Buffer; readonly end: number } | null {
  if (bytes.length < 2) return null;
  const [first, second] = [bytes.readUInt8(0), bytes.readUInt8(1)];
  const short = second & 0x7f;
  const lengthBytes = short === VERY_LONG ? 8 : short === LONG ? 2 : 0;
  const maskBytes = second > 0x7f ? MASK_BYTES : 0;
  const begin = 2 + lengthBytes + maskBytes;
  if (bytes.length < begin) return null;
  const length =
    lengthBytes === 0 ? short : bytes.readUIntBE(lengthBytes === 8 ? 4 : 2, lengthBytes === 8 ? 6 : 2);
  if (bytes.length < begin + length) return null;
  const payload = Buffer.from(bytes.subarray(begin, begin + length));
  if (maskBytes > 0) unmask(payload, bytes.subarray(begin - MASK_BYTES, begin));
  return { opcode: first & 0x0f, payload, end: begin + length };
}

function unmask(payload: Buffer, mask: Buffer): void {
  for (let i = 0; i < payload.length; i++) payload[i] = (payload[i] ?? 0) ^ (mask[i % MASK_BYTES] ?? 0);
}
