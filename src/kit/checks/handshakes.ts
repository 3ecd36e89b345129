import type { Check } from '../check.js';
import { newGrant } from '../grants.js';
import { expectThat, notBefore, type Stage, tokenOf } from '../stage.js';
import { AWAY_MS, aPersonTakesOver } from './endings.js';

const HIDDEN = 'the platform hides the status of a refused handshake, as was said with --hides status';

function finalStatus(status: number, cause: string): Check {
  return {
    id: `handshake-${status}`,
    title: `gives up at a handshake that is refused with ${status}`,
    why: `the same request fares no better: ${cause}`,
    tags: ['handshake-final'],
    async run(stage) {
      stage.needs('status', HIDDEN);
      stage.start();
      (await stage.dial('the first handshake')).refuse(status);
      await stage.staysAway(AWAY_MS, `after ${status}`);
      await aPersonTakesOver(stage);
    },
  };
}

/** Refuses a handshake with this `Retry-After`, and sees that the next one comes late enough, and is a good one. */
async function waits(stage: Stage, status: number, retryAfter: () => string, leastMs: number): Promise<void> {
  stage.needs('status', HIDDEN);
  stage.start();
  (await stage.dial('the first handshake')).refuse(status, { 'Retry-After': retryAfter() });
  const toldMs = performance.now();
  const next = await stage.connection('a handshake after Retry-After', leastMs + 2_000);
  notBefore('its next handshake', next.dialledMs, toldMs, leastMs);
  next.welcome(newGrant());
  await stage.holds(true);
}

/** What a client makes of an HTTP answer in place of 101. */
export const handshakeChecks: readonly Check[] = [
  finalStatus(400, 'the request itself is wrong'),
  finalStatus(403, 'the Origin is not allowed, and SOLESEAT_ORIGINS says which are'),
  finalStatus(404, 'the path is wrong'),
  {
    id: 'handshake-401',
    title: 'comes back with another token after 401',
    why: '401 is final for its token only',
    tags: ['handshake-401'],
    async run(stage) {
      stage.start();
      const first = await stage.dial('the first handshake');
      first.refuse(401);
      const before = stage.tokens.given.at(-1);
      const dial = await stage.dial('a handshake after 401', 1_000);
      const link = dial.accept();
      const token = tokenOf(dial, await stage.must('a hello', () => link.hello));
      expectThat(token !== null && token !== before, 'it shows the token again that was refused');
    },
  },
  {
    id: 'handshake-503',
    title: 'waits as long as Retry-After says after 503',
    why: 'the node is draining or overloaded, and knows for how long',
    tags: ['handshake-retry-after'],
    run: (stage) => waits(stage, 503, () => '2', 2_000),
  },
  {
    id: 'handshake-429',
    title: 'understands a date as Retry-After too',
    why: 'the broker sends seconds, but a proxy before it may send a date',
    tags: ['handshake-retry-after'],
    // A date has whole seconds: up to one is cut off.
    run: (stage) => waits(stage, 429, () => new Date(Date.now() + 4_000).toUTCString(), 2_900),
  },
  {
    id: 'handshake-502',
    title: 'comes back after a refusal that is not final, such as 502 of a proxy',
    why: 'a proxy answers so while the broker behind it starts',
    tags: ['handshake-others-retry'],
    async run(stage) {
      stage.start();
      (await stage.dial('the first handshake')).refuse(502);
      (await stage.dial('a handshake after 502', 1_000)).cut();
      const link = await stage.connection('a handshake after a broken one', 2_000);
      link.welcome(newGrant());
      await stage.holds(true);
    },
  },
];
