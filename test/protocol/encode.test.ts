import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ServerMessage } from '../../packages/client/src/protocol/messages.js';
import { encodeMessage, isTimed } from '../../src/protocol/encode.js';

const number = fc.oneof(
  fc.integer({ min: 0 }),
  fc.double(),
  fc.constantFrom(1392.9, -0.5, 1e21, -1e300, Number.NaN, Number.POSITIVE_INFINITY),
);
const text = fc.string();
const machine = fc.record({ name: text }, { requiredKeys: [] });

/** Any message of each type, with numbers that may be no whole ones. */
const messages = {
  welcome: fc.record(
    {
      type: fc.constant('welcome' as const),
      sessionId: text,
      epoch: number,
      resumed: fc.boolean(),
      ttlMs: number,
      renewEveryMs: number,
      license: fc.option(fc.record({ id: text, expiresAt: number }), { nil: null }),
      displaced: fc.record({ machine }),
    },
    { requiredKeys: ['type', 'sessionId', 'epoch', 'resumed', 'ttlMs', 'renewEveryMs', 'license'] },
  ),
  lease: fc.record({ type: fc.constant('lease' as const), epoch: number, ttlMs: number }),
  evicted: fc.record({ type: fc.constant('evicted' as const), reason: text, at: number, epoch: number }),
  conflict: fc.record({
    type: fc.constant('conflict' as const),
    holder: fc.record({ machine, since: number }),
  }),
  seat_free: fc.record({ type: fc.constant('seat_free' as const) }),
  takeover_requested: fc.record({
    type: fc.constant('takeover_requested' as const),
    by: fc.record({ machine }),
    answerWithinMs: number,
  }),
  takeover_withdrawn: fc.record({ type: fc.constant('takeover_withdrawn' as const) }),
  ask_refused: fc.record({ type: fc.constant('ask_refused' as const) }),
  idle_warning: fc.record({ type: fc.constant('idle_warning' as const), inMs: number }),
  left: fc.record({ type: fc.constant('left' as const), ticket: text, forMs: number }),
  jeopardy: fc.record({ type: fc.constant('jeopardy' as const), graceMs: number }),
  recovered: fc.record({ type: fc.constant('recovered' as const) }),
  token_expiring: fc.record({ type: fc.constant('token_expiring' as const), inMs: number }),
  draining: fc.record({ type: fc.constant('draining' as const), reconnectWithinMs: number }),
  error: fc.record({
    type: fc.constant('error' as const),
    code: fc.constant('flapping' as const),
    message: text,
    retryAfterMs: number,
  }),
} satisfies Record<ServerMessage['type'], fc.Arbitrary<ServerMessage>>;

describe('a message to a client', () => {
  // [broker-whole-numbers] [broker-elapsed]
  it.each(Object.entries(messages))('%s holds whole numbers alone, whatever it was made of', (type, any) => {
    const cases: fc.Arbitrary<ServerMessage> = any;
    fc.assert(
      fc.property(cases, number, (message, elapsedMs) => {
        const { text: sent, mended } = encodeMessage(message, elapsedMs);
        // As a strict reader sees them: digits, and neither a point nor an exponent.
        const numbers = [...sent.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""').matchAll(/[:,[](-?[\d.eE+-]+)/g)];
        expect(numbers.map(([, digits]) => digits).filter((digits) => !/^-?\d+$/.test(digits ?? ''))).toEqual(
          [],
        );
        const read = JSON.parse(sent);
        expect('elapsedMs' in read).toBe(isTimed(message.type));
        // What was right goes out as it was.
        if (mended.length === 0) {
          const { elapsedMs: _, ...rest } = read;
          expect(rest).toEqual(JSON.parse(JSON.stringify(message)));
        }
      }),
    );
    expect(type).not.toBe('');
  });

  it('with a fraction is rounded down, and the field is named', () => {
    const holder = { machine: {}, since: 7.5 };
    expect(encodeMessage({ type: 'conflict', holder }, 12.9)).toEqual({
      text: '{"type":"conflict","holder":{"machine":{},"since":7},"elapsedMs":12}',
      mended: ['holder.since'],
    });
    expect(encodeMessage({ type: 'token_expiring', inMs: 1392.9 }, 0).mended).toEqual(['inMs']);
  });

  it('without a duration does not tell its age', () => {
    expect(encodeMessage({ type: 'recovered' }, 5).text).toBe('{"type":"recovered"}');
  });
});
