import type { Check } from '../check.js';
import { newGrant } from '../grants.js';
import { expectThat, notBefore, tokenOf } from '../stage.js';

/** A token source that hangs counts as failed after this, in the libraries of this project. */
const TOKEN_TIMEOUT_MS = 15_000;

const NOT_YET = {
  type: 'error',
  code: 'token_not_yet_accepted',
  message: 'the key is not known yet',
  retryAfterMs: 1_500,
} as const;

/** What a client does about its token. */
export const tokenChecks: readonly Check[] = [
  {
    id: 'token-expired',
    title: 'fetches another token after 4001',
    why: 'the one that it has is refused again and again',
    tags: ['new-token'],
    async run(stage) {
      const { link } = await stage.seated();
      link.closeFor('token_expired');
      const dial = await stage.dial('a handshake after 4001 token_expired', 1_000);
      const next = dial.accept();
      const token = tokenOf(dial, await stage.must('a hello', () => next.hello));
      expectThat(token !== null && token !== stage.tokens.given[0], 'it shows the token that had ended');
    },
  },
  {
    id: 'token-not-yet',
    title: 'waits after 4002, then comes with another token',
    why: 'the key of a token becomes known with time, and a cached token may never be right',
    tags: ['new-token', 'retry-after-ms'],
    async run(stage) {
      stage.start();
      const link = await stage.connection('the first handshake');
      link.send(NOT_YET);
      link.closeFor('token_not_yet_accepted');
      const toldMs = performance.now();
      const dial = await stage.dial('a handshake after 4002 token_not_yet_accepted', 3_000);
      notBefore('its next handshake', dial.atMs, toldMs, NOT_YET.retryAfterMs);
      const next = dial.accept();
      const token = tokenOf(dial, await stage.must('a hello', () => next.hello));
      expectThat(
        token !== null && token !== stage.tokens.given[0],
        'it shows the token that was not accepted',
      );
    },
  },
  {
    id: 'refresh',
    title: 'sends a new token on the open connection when its token is about to end',
    why: 'the broker closes with 4001 when the token ends',
    tags: ['refresh'],
    async run(stage) {
      const { link } = await stage.seated();
      link.send({ type: 'token_expiring', inMs: 5_000 });
      const { token } = await stage.message(link, 'refresh', 5_000);
      expectThat(stage.tokens.given.includes(token), 'its refresh has a token of its own making');
      expectThat(token !== stage.tokens.given[0], 'its refresh has the token that is about to end');
      await stage.keepsSeat(link, 500, 'after a refresh');
    },
  },
  {
    id: 'refresh-not-yet',
    title: 'goes on where a refreshed token is not accepted yet, and sends another one later',
    why: 'the session lives on under the token that it has',
    tags: ['refresh-not-yet'],
    async run(stage) {
      const { link, grant } = await stage.seated();
      link.send({ type: 'token_expiring', inMs: 60_000 });
      const first = await stage.message(link, 'refresh', 10_000);
      link.send(NOT_YET);
      const toldMs = performance.now();
      link.renew(grant);
      const second = await stage.must(
        'a second refresh',
        () => link.messages.filter(({ type }) => type === 'refresh')[1],
        NOT_YET.retryAfterMs + 6_000,
      );
      notBefore('its second refresh', performance.now(), toldMs, NOT_YET.retryAfterMs);
      expectThat('token' in second && second.token !== first.token, 'its second refresh has the same token');
      expectThat(link.ended === null && stage.program.holds === true, 'it gave the session up');
    },
  },
  {
    id: 'token-hangs',
    title: 'asks again where its token source does not answer',
    why: 'an identity provider that hangs once would keep the person out until a restart',
    tags: ['token-timeout'],
    isLong: true,
    async run(stage) {
      stage.tokens.mood = 'hangs';
      stage.start();
      await stage.must('a request for a token', () => stage.tokens.asked[0]);
      stage.tokens.mood = 'gives';
      await stage.must('a second request for a token', () => stage.tokens.asked[1], TOKEN_TIMEOUT_MS + 1_000);
      const link = await stage.connection('a handshake once there is a token');
      link.welcome(newGrant());
      await stage.holds(true);
    },
  },
  {
    id: 'token-fails',
    title: 'waits and asks again where there is no token, and dials when there is one',
    why: 'without a wait it floods the identity provider; without a second try it keeps the person out',
    tags: ['token-failure'],
    async run(stage) {
      stage.tokens.mood = 'fails';
      stage.start();
      await stage.must('a third request for a token', () => stage.tokens.asked[2], 2_000);
      await stage.staysAway(1_500, 'without a token');
      const asked = stage.tokens.asked.length;
      expectThat(asked < 15, `it asked for a token ${asked} times in a moment`);
      stage.tokens.mood = 'gives';
      const link = await stage.connection('a handshake once there is a token', 16_000);
      link.welcome(newGrant());
      await stage.holds(true);
    },
  },
];
