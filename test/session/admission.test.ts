import { expect, it } from 'vitest';
import { Tickets } from '../../src/auth/tickets.js';
import { admit } from '../../src/session/admission.js';
import { Departures } from '../../src/session/departures.js';
import { IdleWatch } from '../../src/session/idle-watch.js';
import { Questions } from '../../src/session/questions.js';
import { TokenWatch } from '../../src/session/tokens-watch.js';
import { Waiters } from '../../src/session/waiters.js';
import { HeardLink, RENEW_EVERY_MS, Stage } from './stage.js';

it('promise 6: the deadline of a new lease counts from when its claim was sent, and the client sees the same', async () => {
  const stage = new Stage();
  const { clock, lifecycle, renewals, log, metrics, wheel } = stage;
  const link = new HeardLink();
  const claimedMs = stage.nowMs;
  const admission = await admit(
    {
      link,
      hello: { type: 'hello', machine: { id: 'pc' } },
      onConflict: 'takeover',
      claims: { org: 'acme', user: 'ada', expiresAtMs: 3_600_000 },
      trace: null,
    },
    {
      clock,
      wallMs: () => 0,
      lifecycle,
      renewals,
      log,
      metrics,
      licenses: { lookAlike: async () => null },
      knownAs: async (_org: string, user: string) => user,
      leases: {
        present: async () => true,
        claim: async ({ sessionId }) => {
          stage.nowMs += 1_500;
          const granted = {
            outcome: 'granted',
            epoch: 7,
            rank: 7,
            resumed: false,
            sinceMs: 0,
            nowMs: 0,
          } as const;
          return {
            ...granted,
            sessionId,
            isAhead: false,
            license: null,
            idleLimitMs: null,
            isOverdrawn: false,
            isShared: false,
            question: null,
            displaced: null,
          };
        },
      },
      gate: { judge: () => ({ ok: false, reason: 'malformed' }) },
      idleWatch: new IdleWatch({
        ...{ clock, wheel, lifecycle, renewals, log },
        idleMsOf: async () => null,
        leases: { endIdle: async () => null },
      }),
      questions: new Questions({
        asks: { put: async () => {}, answer: async () => null },
        lifecycle,
        wheel,
        log,
      }),
      waiters: new Waiters({ asks: { withdraw: async () => {} }, wheel, clock, log }),
      departures: new Departures({
        leaves: {
          take: async () => ({ outcome: 'lost' }),
          isSafe: async () => false,
          undo: async () => null,
        },
        tickets: new Tickets(null, 'soleseat'),
        lifecycle,
        renewals,
        wheel,
        log,
      }),
      tickets: new Tickets(null, 'soleseat'),
      tokenWatch: new TokenWatch(wheel, () => 0, 0),
      newSessionId: () => 'session-1',
      renewEveryMs: RENEW_EVERY_MS,
    },
  );
  expect(admission).toMatchObject({ outcome: 'granted', session: { deadlineMs: claimedMs + 27_000 } });
  expect(link.heard).toMatchObject([{ type: 'welcome', sessionId: 'session-1', epoch: 7, ttlMs: 25_500 }]);
});
