import type { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { pause, Streams } from '../../src/admin/streams.js';

const headers = { type: () => {}, header: () => {} };
const someone = { subject: 'ada', role: 'viewer', org: 'acme' as string | null };

/** Opens a stream for somebody whose token has so long to go. */
function open(streams: Streams, who: Partial<typeof someone> = {}, leftMs = 3_600_000): Readable {
  const caller = { ...someone, ...who, expiresAtMs: Date.now() + leftMs };
  const asker = { caller, reply: headers, signal: new AbortController().signal };
  return streams.answer(asker, 'text/plain', async function* (signal) {
    do yield 'x';
    while (await pause(10, signal));
  });
}

const many = (count: number, open: (index: number) => Readable) =>
  Array.from({ length: count }, (_, index) => open(index));

async function endOf(stream: Readable): Promise<void> {
  for await (const _ of stream);
}

describe('streams', () => {
  it('are 16 of a token at a time, also where its holder has another; one that has closed makes room', async () => {
    const streams = new Streams(Date.now);
    const all = many(16, () => open(streams));
    const refused = { status: 429, code: 'too_many_streams' };
    expect(() => open(streams)).toThrow(expect.objectContaining(refused));
    const other = open(streams, { subject: 'grace' });
    const closed = new Promise((resolve) => all[0]?.once('close', resolve));
    all[0]?.destroy();
    await closed;
    const next = open(streams);
    for (const stream of [...all, other, next]) stream.destroy();
  });

  it('are 32 of an org at a time, however many people it has; other orgs and owners get in', () => {
    const streams = new Streams(Date.now);
    const all = many(32, (index) => open(streams, { subject: `user${index}` }));
    const refused = { status: 429, code: 'too_many_streams' };
    expect(() => open(streams, { subject: 'last' })).toThrow(expect.objectContaining(refused));
    all.push(open(streams, { org: 'other' }), open(streams, { org: null, role: 'owner' }));
    for (const stream of all) stream.destroy();
  });

  it('are 512 of a node at a time; an owner gets in all the same', () => {
    const streams = new Streams(Date.now);
    const all = many(512, (index) => open(streams, { subject: `user${index}`, org: `org${index}` }));
    const refused = { status: 503, code: 'too_many_streams' };
    expect(() => open(streams, { org: 'last' })).toThrow(expect.objectContaining(refused));
    all.push(open(streams, { org: null, role: 'owner' }));
    for (const stream of all) stream.destroy();
  });

  it('end with the token', async () => {
    const streams = new Streams(Date.now);
    const other = open(streams);
    await endOf(open(streams, {}, 50));
    expect(other.closed).toBe(false);
    other.destroy();
  });
});
