import { closeCodes } from '#client/protocol/close-codes.js';
import type { FuzzCase, Outcome } from './case.js';

/** Faults against RFC 6455 have codes of that document (PROTOCOL.md, close codes). */
const rfcCodes = [1002, 1003, 1007, 1008, 1009];
const known: ReadonlySet<number> = new Set([...closeCodes.map(({ code }) => code), ...rfcCodes]);
/** 503 says that something else is away: it is no fault of the request's, and none of the broker's. */
const UNAVAILABLE = 503;
const trace = /\bat [^\n]*\.[cm]?[jt]s:\d+|node_modules|\/dist\/|Error: /;

/** What is wrong with the answer to an input; null: nothing. */
export function faultOf(input: FuzzCase, { received, isConnected }: Outcome): string | null {
  if (!isConnected) return 'the broker takes no connection';
  const text = received.toString('latin1');
  if (trace.test(text)) return `an answer shows how the broker is made: ${text.slice(0, 300)}`;
  if (!text.startsWith('HTTP/1.1 101 ')) return faultOfHttp(text);
  const frames = framesOf(received.subarray(received.indexOf('\r\n\r\n') + 4));
  if (frames === null) return 'the broker sent frames that are none';
  for (const { opcode, payload } of frames) {
    if (opcode === 1 && !isMessage(payload))
      return `the broker sent no message of its protocol: ${payload.toString().slice(0, 300)}`;
    if (opcode !== 8 || payload.length < 2) continue;
    const code = payload.readUInt16BE(0);
    if (!known.has(code) && !input.ownCloseCodes.includes(code))
      return `closed with ${code}, which is not in the table`;
  }
  return null;
}

function faultOfHttp(text: string): string | null {
  if (text === '') return null;
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0);
  if (status === 0) return `the answer is not HTTP: ${text.slice(0, 100)}`;
  // Behind the first there may be others.
  const statuses = [...text.matchAll(/(?:^|\n)HTTP\/1\.1 (\d{3}) [A-Z]/g)].map(([, digits]) =>
    Number(digits),
  );
  const failed = statuses.find((one) => one >= 500 && one !== UNAVAILABLE);
  return failed === undefined ? null : `answered ${failed}: ${text.slice(-300)}`;
}

function isMessage(payload: Buffer): boolean {
  try {
    return typeof (JSON.parse(payload.toString()) as { type?: unknown }).type === 'string';
  } catch {
    return false;
  }
}

interface ServerFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** The whole frames of a server (RFC 6455 section 5.2); null where one breaks the rules. */
function framesOf(bytes: Buffer): readonly ServerFrame[] | null {
  const frames: ServerFrame[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const [first = 0, second = 0] = bytes.subarray(at, at + 2);
    const opcode = first & 15;
    // Not masked, not in fragments, nothing reserved.
    if (second > 127 || (first & 0xf0) !== 0x80 || ![1, 8, 9, 10].includes(opcode)) return null;
    const start = at + (second === 126 ? 4 : second === 127 ? 10 : 2);
    if (start > bytes.length) break;
    const length =
      second === 126
        ? bytes.readUInt16BE(at + 2)
        : second === 127
          ? Number(bytes.readBigUInt64BE(at + 2))
          : second;
    if (start + length > bytes.length) break;
    frames.push({ opcode, payload: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return frames;
}
