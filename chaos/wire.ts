/** The texts that a server sends on a WebSocket, read from the bytes as they pass: whole text frames, as ours are. */
export class ServerTexts {
  #bytes = Buffer.alloc(0);
  #isOpen = false;

  constructor(private readonly onText: (text: string) => void) {}

  feed(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    if (!this.#isOpen) {
      const end = this.#bytes.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.#bytes = this.#bytes.subarray(end + 4);
      this.#isOpen = true;
    }
    for (let frame = readFrame(this.#bytes); frame !== null; frame = readFrame(this.#bytes)) {
      this.#bytes = this.#bytes.subarray(frame.end);
      if (frame.isText) this.onText(frame.text);
    }
  }
}

interface Frame {
  readonly isText: boolean;
  readonly text: string;
  readonly end: number;
}

const TEXT = 1;
const LONG = 126;

/** The frame at the beginning (RFC 6455, section 5.2); null where it is not there as a whole. A server masks nothing. */
function readFrame(bytes: Buffer): Frame | null {
  if (bytes.length < 2) return null;
  const short = bytes.readUInt8(1) & 0x7f;
  const begin = short === LONG ? 4 : 2;
  if (bytes.length < begin) return null;
  const end = begin + (short === LONG ? bytes.readUInt16BE(2) : short);
  if (bytes.length < end) return null;
  return {
    isText: (bytes.readUInt8(0) & 0x0f) === TEXT,
    text: bytes.toString('utf8', begin, end),
    end,
  };
}
