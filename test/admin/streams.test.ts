import type { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { pause, Streams } from '../../src/admin/streams.js';

const headers = { type: () => {}, header: () => {} };

/** Opens a stream for somebody whose token has so long to go. */
function open(streams: Streams, leftMs = 3_600_000): Readable {
  const caller = { expiresAtMs: Date.now() + leftMs };
  const asker = { caller, reply: headers, signal: new AbortController().signal };
  return streams.answer(asker, 'text/plain', async function* (signal) {
    do yield 'x';
    while (await pause(10, signal));
  });
}

async function endOf(stream: Readable): Promise<void> {
  for await (const _ of stream);
}

describe('streams', () => {
  it('are 64 at a time; one that has closed makes room', async () => {
    const streams = new Streams(Date.now);
    const all = Array.from({ length: 64 }, () => open(streams));
    expect(() => open(streams)).toThrow(expect.objectContaining({ status: 503, code: 'too_many_streams' }));
    const closed = new Promise((resolve) => all[0]?.once('close', resolve));
    all[0]?.destroy();
    await closed;
    const next = open(streams);
    for (const stream of [...all, next]) stream.destroy();
  });

  it('end with the token', async () => {
    const streams = new Streams(Date.now);
    const other = open(streams);
    await endOf(open(streams, 50));
    expect(other.closed).toBe(false);
    other.destroy();
  });
});
