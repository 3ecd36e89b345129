import { describe, expect, it } from 'vitest';
import type { FuzzCase } from '../../fuzz/case.js';
import { faultOf } from '../../fuzz/judge.js';
import { closeFrame, frame, opcodes } from '../gateway/raw-socket.js';

const input: FuzzCase = { kind: 'frames', port: 'public', writes: [], ownCloseCodes: [3000] };
const judged = (received: Buffer | string) =>
  faultOf(input, { isConnected: true, received: Buffer.from(received as string) });
/** What a broker sends behind its 101: a server masks nothing. */
const upgraded = (...frames: readonly Buffer[]) =>
  Buffer.concat([Buffer.from('HTTP/1.1 101 Switching Protocols\r\n\r\n'), ...frames]);
const unmasked = (opcode: number, payload: string | Buffer) => frame({ opcode, payload, isMasked: false });
const closed = (code: number) => {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return upgraded(unmasked(opcodes.close, payload));
};

describe('the judge of the fuzzer', () => {
  it.each<readonly [string, Buffer | string]>([
    ['no answer', ''],
    ['a refusal', 'HTTP/1.1 400 Bad Request\r\n\r\nno'],
    ['an outage', 'HTTP/1.1 503 Service Unavailable\r\n\r\n'],
    ['an interim answer', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'],
    ['a WebSocket', upgraded(unmasked(opcodes.text, '{"type":"lease"}'), unmasked(opcodes.ping, ''))],
    ['half a frame', upgraded(unmasked(opcodes.text, '{"type":"lease"}').subarray(0, 7))],
    ['a close of the table', closed(4500)],
    ['a close for a broken frame', closed(1002)],
    ['the close that the input sent', closed(3000)],
  ])('finds nothing wrong with %s', (_, received) => {
    expect(judged(received)).toBeNull();
  });

  it.each<readonly [string, Buffer | string, string]>([
    ['500', 'HTTP/1.1 500 Internal Server Error\r\n\r\n', 'answered 500'],
    ['500 behind another answer', 'HTTP/1.1 200 OK\r\n\r\na\nHTTP/1.1 500 Internal\r\n\r\n', 'answered 500'],
    ['502', 'HTTP/1.1 502 Bad Gateway\r\n\r\n', 'answered 502'],
    ['what is not HTTP', 'hello', 'not HTTP'],
    ['a trace', 'HTTP/1.1 400 Bad Request\r\n\r\nat f (a.js:1:2)', 'how the broker is made'],
    ['a close of nobody', closed(4999), '4999'],
    ['a close that ws makes by itself', closed(1006), '1006'],
    ['a masked frame', upgraded(closeFrame(1000)), 'frames that are none'],
    ['a frame of a reserved kind', upgraded(unmasked(3, '')), 'frames that are none'],
    ['a message without a type', upgraded(unmasked(opcodes.text, '{}')), 'no message'],
    ['text that is not JSON', upgraded(unmasked(opcodes.text, 'x')), 'no message'],
  ])('finds %s', (_, received, fault) => {
    expect(judged(received)).toContain(fault);
  });

  it('finds a broker that takes no connection', () => {
    expect(faultOf(input, { isConnected: false, received: Buffer.alloc(0) })).not.toBeNull();
  });
});
