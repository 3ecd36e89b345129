import { createServer, isIP, type Server, type Socket } from 'node:net';

/** The PROXY protocol, versions 1 and 2, as its specification of HAProxy has it. */

const signature = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);
/** The longest line of version 1, with its end. */
const MAX_LINE = 107;
/** Far above what proxies tell beside the addresses. */
const MAX_HEADER = 4096;
const HEADER_TIMEOUT_MS = 5000;

export interface ProxyHeader {
  /** Bytes of the header. */
  readonly length: number;
  /** The address of the proxy's peer; null where it speaks for itself, as when it asks for our health. */
  readonly address: string | null;
}

/** Reads what has come so far: the header, null where more must come, false where it is none. */
export function readProxyHeader(bytes: Buffer): ProxyHeader | null | false {
  const begin = bytes.subarray(0, signature.length);
  if (begin.equals(signature)) return readBinary(bytes);
  if (begin.length < signature.length && signature.subarray(0, begin.length).equals(begin)) return null;
  return readLine(bytes);
}

function readLine(bytes: Buffer): ProxyHeader | null | false {
  const end = bytes.subarray(0, MAX_LINE).indexOf('\r\n');
  const text = bytes.subarray(0, end < 0 ? MAX_LINE : end).toString('latin1');
  if (end < 0) return bytes.length < MAX_LINE && 'PROXY '.startsWith(text.slice(0, 6)) ? null : false;
  const [word, family, source = '', ...more] = text.split(' ');
  if (word !== 'PROXY') return false;
  const length = end + 2;
  if (family === 'UNKNOWN') return { length, address: null };
  const expected = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : 0;
  return expected !== 0 && isIP(source) === expected && more.length === 3
    ? { length, address: source }
    : false;
}

function readBinary(bytes: Buffer): ProxyHeader | null | false {
  if (bytes.length < 16) return null;
  const [command, family] = [bytes.readUInt8(12), bytes.readUInt8(13)];
  const length = 16 + bytes.readUInt16BE(14);
  if (length > MAX_HEADER || (command !== 0x20 && command !== 0x21)) return false;
  if (bytes.length < length) return null;
  if (command === 0x20) return { length, address: null };
  if (family === 0x11 && length >= 28) return { length, address: bytes.subarray(16, 20).join('.') };
  if (family === 0x21 && length >= 52) return { length, address: ipv6Of(bytes.subarray(16, 32)) };
  // Another kind of socket has no address of ours.
  return { length, address: null };
}

function ipv6Of(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  return groups.join(':');
}

/**
 * Listens in place of an HTTP server, and hands it connections whose header was read. One without a header, or of a peer
 * that is no trusted proxy, is closed.
 */
export class ProxyDoor {
  readonly #door: Server;
  /** The proxy's end of a connection → who is behind it, while it is open. TLS hides the socket, but not its ends. */
  readonly #behind = new Map<string, string>();
  /** Those whose header has not come yet: HTTP does not know of them. */
  readonly #unread = new Set<Socket>();

  constructor(
    private readonly server: Server,
    private readonly isTrusted: (address: string) => boolean,
  ) {
    this.#door = createServer((socket) => this.#enter(socket));
  }

  get listener(): Server {
    return this.#door;
  }

  /** The address behind a connection; undefined where the proxy spoke for itself. */
  addressBehind(socket: Pick<Socket, 'remoteAddress' | 'remotePort'>): string | undefined {
    return this.#behind.get(endOf(socket));
  }

  hangUp(): void {
    for (const socket of this.#unread) socket.destroy();
  }

  #enter(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    if (!this.isTrusted(socket.remoteAddress ?? '')) {
      socket.destroy();
      return;
    }
    let bytes = Buffer.alloc(0);
    this.#unread.add(socket);
    const timer = setTimeout(() => socket.destroy(), HEADER_TIMEOUT_MS);
    socket.once('close', () => {
      clearTimeout(timer);
      this.#unread.delete(socket);
    });
    const read = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const header = readProxyHeader(bytes);
      if (header === null) return;
      socket.off('data', read);
      clearTimeout(timer);
      this.#unread.delete(socket);
      if (header === false) socket.destroy();
      else this.#handOver(socket, header, bytes.subarray(header.length));
    };
    socket.on('data', read);
  }

  #handOver(socket: Socket, { address }: ProxyHeader, rest: Buffer): void {
    if (address !== null) {
      const end = endOf(socket);
      this.#behind.set(end, address);
      socket.once('close', () => this.#behind.delete(end));
    }
    socket.pause();
    if (rest.length > 0) socket.unshift(rest);
    this.server.emit('connection', socket);
    process.nextTick(() => socket.resume());
  }
}

function endOf({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress} ${remotePort}`;
}
