import fc from 'fast-check';
import type { FuzzCase } from './case.js';
import { inPieces, objectText, text, valueText } from './odd.js';

const CONTINUATION = 0;
const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** Whatever a frame may be, well formed or not (RFC 6455 section 5.2). */
interface Frame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly rsv: number;
  readonly isMasked: boolean;
  readonly mask: number;
  readonly payload: Buffer;
  /** In how many bytes the length stands; null: in as few as possible. */
  readonly lengthBytes: 2 | 8 | null;
  /** What the length says, where it is not that of the payload. */
  readonly claimed: bigint | null;
}

const good: Omit<Frame, 'opcode' | 'payload'> = {
  isFinal: true,
  rsv: 0,
  isMasked: true,
  mask: 0x1badf00d,
  lengthBytes: null,
  claimed: null,
};

export function frameBytes({
  opcode,
  isFinal,
  rsv,
  isMasked,
  mask,
  payload,
  lengthBytes,
  claimed,
}: Frame): Buffer {
  const length = claimed ?? BigInt(payload.length);
  const form = lengthBytes ?? (length < 126n ? 0 : length < 65_536n ? 2 : 8);
  const head = Buffer.alloc(2 + form + (isMasked ? 4 : 0));
  head[0] = (isFinal ? 0x80 : 0) | ((rsv & 7) << 4) | (opcode & 15);
  head[1] = (isMasked ? 0x80 : 0) | (form === 0 ? Number(length & 127n) : form === 2 ? 126 : 127);
  if (form === 2) head.writeUInt16BE(Number(length & 0xffffn), 2);
  if (form === 8) head.writeBigUInt64BE(BigInt.asUintN(64, length), 2);
  if (!isMasked) return Buffer.concat([head, payload]);
  const key = head.subarray(2 + form);
  key.writeUInt32BE(mask >>> 0);
  return Buffer.concat([head, payload.map((byte, index) => byte ^ (key[index % 4] ?? 0))]);
}

export function textFrame(message: string): Buffer {
  return frameBytes({ ...good, opcode: TEXT, payload: Buffer.from(message) });
}

const payload: fc.Arbitrary<Buffer> = fc.oneof(
  text.map((one) => Buffer.from(one)),
  valueText.map((one) => Buffer.from(one)),
  fc.uint8Array({ maxLength: 130 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(
    Buffer.from('{"type":"activity"}'),
    Buffer.from('{"type":"release"}'),
    Buffer.alloc(0),
    Buffer.alloc(20_000, 0x20),
  ),
);
const closeCode = fc.oneof(
  fc.constantFrom(0, 999, 1000, 1001, 1004, 1005, 1006, 1011, 1015, 2999, 3000, 4999, 5000),
  fc.nat(65_535),
);
const closePayload = fc.oneof(
  payload,
  fc.tuple(closeCode, payload).map(([code, reason]) => {
    const bytes = Buffer.alloc(2);
    bytes.writeUInt16BE(code);
    return Buffer.concat([bytes, reason]);
  }),
);
const opcode = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(CONTINUATION, TEXT, 2, CLOSE, PING, PONG) },
  { weight: 1, arbitrary: fc.nat(15) },
);

/** Mostly right, and wrong in one or two places. */
const frame: fc.Arbitrary<Frame> = opcode.chain((code) =>
  fc.record({
    opcode: fc.constant(code),
    isFinal: mostly(true, fc.constant(false)),
    rsv: mostly(0, fc.nat(7)),
    isMasked: mostly(true, fc.constant(false)),
    mask: fc.nat(),
    payload: code === CLOSE ? closePayload : payload,
    lengthBytes: mostly<2 | 8 | null>(null, fc.constantFrom(2 as const, 8 as const)),
    claimed: mostly<bigint | null>(null, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  }),
);

/** A message in fragments, with control frames between them. */
const fragments: fc.Arbitrary<Frame[]> = fc
  .tuple(valueText, fc.integer({ min: 1, max: 70 }), fc.constantFrom(PING, PONG, TEXT, CLOSE), fc.boolean())
  .map(([message, count, between, isEnded]) => {
    const bytes = Buffer.from(`{"type":"activity","x":${message}}`);
    const size = Math.max(1, Math.ceil(bytes.length / count));
    return Array.from({ length: count }, (_, index): Frame[] => [
      {
        ...good,
        opcode: index === 0 ? TEXT : CONTINUATION,
        isFinal: isEnded && index === count - 1,
        payload: bytes.subarray(index * size, (index + 1) * size),
      },
      ...(index === 3 ? [{ ...good, opcode: between, payload: Buffer.alloc(0) }] : []),
    ]).flat();
  });

const frames = fc.oneof(
  { weight: 4, arbitrary: fc.array(frame, { minLength: 1, maxLength: 6 }) },
  { weight: 1, arbitrary: fragments },
  {
    weight: 1,
    arbitrary: fc
      .tuple(frame, fc.integer({ min: 2, max: 400 }))
      .map(([one, count]) => Array<Frame>(count).fill(one)),
  },
);

function mostly<T>(usual: T, other: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 9, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other });
}

export function handshake(token: string, more: readonly string[] = []): Buffer {
  const lines = [
    ...['GET /v1/connect HTTP/1.1', 'Host: 127.0.0.1', 'Connection: Upgrade', 'Upgrade: websocket'],
    ...[
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Protocol: soleseat.v1',
    ],
    `Authorization: Bearer ${token}`,
  ];
  return Buffer.from(`${[...lines, ...more].join('\r\n')}\r\n\r\n`, 'latin1');
}

const goodHello = (machine: string) =>
  textFrame(JSON.stringify({ type: 'hello', machine: { id: machine, name: machine } }));

/** Frames behind a good handshake, before or behind a good `hello`, at once with them or in pieces of their own. */
export function frameCases(tokens: readonly string[]): fc.Arbitrary<FuzzCase> {
  return fc
    .record({
      token: fc.constantFrom(...tokens),
      isSeated: fc.boolean(),
      frames,
      rest: fc.oneof(
        { weight: 4, arbitrary: fc.constant(Buffer.alloc(0)) },
        { weight: 1, arbitrary: payload },
      ),
    })
    .chain(({ token, isSeated, frames: sent, rest }) => {
      const bytes = Buffer.concat([...sent.map(frameBytes), rest]);
      const before = [handshake(token), ...(isSeated ? [goodHello('frames')] : [])];
      return inPieces(bytes).map((pieces) => ({
        kind: 'frames' as const,
        port: 'public' as const,
        writes: [Buffer.concat(before), ...pieces],
        ownCloseCodes: sent
          .filter((one) => one.opcode === CLOSE && one.payload.length > 1)
          .map((one) => one.payload.readUInt16BE(0)),
      }));
    });
}

const quoted = (one: fc.Arbitrary<string>) => one.map((value) => JSON.stringify(value));
const word = quoted(fc.constantFrom('desk', 'laptop', 'den', '0190a0c0-0000-7000-8000-000000000000'));
const count = fc.nat(10).map(String);
const machine = objectText({
  id: word,
  name: word,
  os: word,
  kind: quoted(fc.constantFrom('physical', 'virtual', 'container')),
});

/** Messages that are right, or nearly. */
function message(tokens: readonly string[]): fc.Arbitrary<string> {
  const token = quoted(fc.constantFrom(...tokens, 'a.b.c'));
  const typed = (type: string) => fc.constant(JSON.stringify(type));
  const resume = objectText({ sessionId: quoted(fc.uuid({ version: 7 })), epoch: count });
  const hello = objectText({
    ...{ type: typed('hello'), machine, instance: word, attempt: count, token, resume },
    onConflict: quoted(fc.constantFrom('takeover', 'deny', 'ask')),
    client: objectText({ name: word, version: word }),
  });
  return fc.oneof(
    { weight: 4, arbitrary: hello },
    objectText({ type: typed('takeover') }),
    objectText({ type: typed('answer'), yield: fc.constantFrom('true', 'false'), needMs: count }),
    objectText({ type: typed('refresh'), token }),
    objectText({ type: typed('activity'), idleMs: count }),
    objectText({ type: typed('leave'), forMs: count }),
    objectText({ type: typed('release') }),
    objectText({ type: quoted(text) }),
    valueText,
  );
}

export function messageCases(tokens: readonly string[]): fc.Arbitrary<FuzzCase> {
  return fc
    .record({
      token: fc.constantFrom(...tokens),
      isSeated: fc.boolean(),
      messages: fc.array(message(tokens), { minLength: 1, maxLength: 5 }),
    })
    .chain(({ token, isSeated, messages }) =>
      inPieces(Buffer.concat(messages.map(textFrame))).map((pieces) => ({
        kind: 'messages' as const,
        port: 'public' as const,
        writes: [Buffer.concat([handshake(token), ...(isSeated ? [goodHello('messages')] : [])]), ...pieces],
        ownCloseCodes: [],
      })),
    );
}
