import type { Check } from '../check.js';
import { newGrant } from '../grants.js';
import { expectThat, notBefore, type Stage } from '../stage.js';

/** However often a node renews, a client waits so long before it takes silence for a loss. */
const FLOOR_MS = 5_000;
/** From dialling to the first answer. */
const ANSWER_MS = 10_000;
/** A lease that does not end during a check: only the silence is judged. */
const LONG = { ttlMs: 60_000, renewEveryMs: 1_000 } as const;

/** The connection was left for another one that resumes the session. */
async function replaced(stage: Stage, what: string, sessionId: string, withinMs: number) {
  const next = await stage.connection(what, withinMs);
  expectThat(next.hello?.resume?.sessionId === sessionId, 'its hello does not resume the session');
  return next;
}

/** How a client notices that the broker is gone. */
export const livenessChecks: readonly Check[] = [
  {
    id: 'silence',
    title: 'takes 5 s without a lease for a lost connection',
    why: 'TCP does not tell a client that sends nothing that its connection is dead',
    tags: ['silence'],
    async run(stage) {
      const { link, grant } = await stage.seated(newGrant(LONG));
      link.lease(grant);
      const next = await replaced(stage, 'a handshake after silence', grant.sessionId, FLOOR_MS + 1_000);
      notBefore('its next handshake', next.dialledMs, link.toldMs, FLOOR_MS);
    },
  },
  {
    id: 'silence-interval',
    title: 'waits 2.5 intervals of a broker that renews seldom',
    why: 'a client that is less patient reconnects without a cause',
    tags: ['silence'],
    async run(stage) {
      const { link, grant } = await stage.seated(newGrant({ ...LONG, renewEveryMs: 3_000 }));
      link.lease(grant);
      await stage.keepsSeat(link, 7_000, 'before 2.5 renewal intervals had passed');
      await replaced(stage, 'a handshake after silence', grant.sessionId, 1_500);
    },
  },
  {
    id: 'half-open',
    title: 'comes back although its old connection never closes',
    why: 'where the network swallows everything, no close is ever answered',
    tags: ['silence', 'no-wait-for-close'],
    async run(stage) {
      const { link, grant } = await stage.seated(newGrant(LONG));
      link.lease(grant);
      link.goDeaf();
      const next = await replaced(stage, 'a handshake after silence', grant.sessionId, FLOOR_MS + 1_000);
      next.resume(grant);
      await stage.holds(true);
    },
  },
  {
    id: 'jeopardy',
    title: 'lets go at the deadline in jeopardy, keeps the connection, and goes on at recovered',
    why: 'the node tries on, and no other one does better without Redis',
    tags: ['jeopardy-wait', 'jeopardy-until'],
    isLong: true,
    async run(stage) {
      stage.start();
      const link = await stage.connection('the first handshake');
      const grant = newGrant({ ttlMs: 4_000 });
      link.welcome(grant);
      link.send({ type: 'jeopardy', graceMs: 60_000 });
      await stage.holds(true);
      notBefore('"holds false"', await stage.holds(false, 4_000), link.dialledMs, 4_000);
      // Longer than silence and deadline together.
      await stage.mustNot(FLOOR_MS + 1_000, () => {
        if (link.ended !== null) return 'it left the connection in jeopardy, before graceMs was over';
        return stage.broker.dials.length > 1 && 'it dialled again in jeopardy, before graceMs was over';
      });
      link.send({ type: 'recovered' });
      link.lease({ ...grant, ttlMs: 20_000 });
      await stage.holds(true);
    },
  },
  {
    id: 'jeopardy-over',
    title: 'comes back when graceMs is over and nothing came',
    why: 'the node has lost Redis for good, or is gone',
    tags: ['jeopardy-wait'],
    async run(stage) {
      const { link, grant } = await stage.seated(newGrant(LONG));
      link.send({ type: 'jeopardy', graceMs: 6_500 });
      const next = await replaced(stage, 'a handshake after graceMs', grant.sessionId, 7_500);
      notBefore('its next handshake', next.dialledMs, link.toldMs, 6_500);
    },
  },
  {
    id: 'no-answer',
    title: 'gives up a connection on which nobody answers its hello',
    why: 'a node that hangs keeps its client out for ever',
    tags: ['answer-timeout'],
    isLong: true,
    async run(stage) {
      stage.start();
      await stage.connection('the first handshake');
      const next = await stage.connection('a handshake after a hello without an answer', ANSWER_MS + 1_000);
      next.welcome(newGrant());
      await stage.holds(true);
    },
  },
  {
    id: 'handshake-hangs',
    title: 'gives up a handshake that nobody answers',
    why: 'a node that hangs keeps its client out for ever',
    tags: ['answer-timeout'],
    isLong: true,
    async run(stage) {
      stage.start();
      await stage.dial('the first handshake');
      const next = await stage.connection('a handshake after one without an answer', ANSWER_MS + 1_000);
      next.welcome(newGrant());
      await stage.holds(true);
    },
  },
];
