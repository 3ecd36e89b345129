import { closeCodes } from '#client/protocol/close-codes.js';
import type { Check } from '../check.js';
import { newGrant } from '../grants.js';
import type { Link } from '../link.js';
import { expectThat, nameOf, type Stage } from '../stage.js';

/** A client that dials again without a person does so within a second: it is its first failure. */
export const AWAY_MS = 2_500;

/** The end is final for the program only: a person may try again. It also shows that the client still lives. */
export async function aPersonTakesOver(stage: Stage): Promise<void> {
  stage.tell('takeover');
  const link = await stage.connection('a handshake after a person typed "takeover"');
  const policy = link.hello?.onConflict ?? 'takeover';
  expectThat(policy === 'takeover', `after "takeover" its hello has onConflict "${policy}"`);
  link.welcome(newGrant());
  await stage.holds(true);
}

function evict(link: Link, reason: string): void {
  link.send({
    type: 'evicted',
    reason,
    by: { machine: { name: 'laptop' } },
    at: Date.now(),
    epoch: 1_999_999_999_999_999,
  });
}

function finalCode(code: number, words: string): Check {
  const reason = closeCodes.find((row) => row.code === code)?.reason ?? 'not_known_yet';
  return {
    id: `final-${code}`,
    title: `gives up at ${code}, ${words}, and leaves the rest to a person`,
    why: 'whoever tries again after a final code is refused for ever, and loads the broker',
    tags: ['final-codes'],
    async run(stage) {
      const { link } = await stage.seated();
      link.close(code, reason);
      await stage.staysAway(AWAY_MS, `after ${code} ${reason}`);
      await stage.holds(false);
      await aPersonTakesOver(stage);
    },
  };
}

function comesBack(id: string, code: number, reason: string, title: string): Check {
  return {
    id,
    title,
    why: 'a client that gives up too early needs a person to start it again',
    tags: ['other-codes-retry', ...(code === 1000 ? ['close-1000'] : [])],
    async run(stage) {
      const { link, grant } = await stage.seated();
      link.lease(grant);
      link.close(code, reason);
      const next = await stage.connection(`a handshake after ${nameOf({ code, reason, atMs: 0 })}`);
      expectThat(next.hello?.resume?.sessionId === grant.sessionId, 'its hello does not resume the session');
    },
  };
}

function finalRelease(reason: string): Check {
  return {
    id: `1000-${reason}`,
    title: `takes 1000 with the reason ${reason} as the end of the session`,
    why: 'the seat was given back in its name: to take it again is for a person',
    tags: ['close-1000'],
    async run(stage) {
      const { link } = await stage.seated();
      link.close(1000, reason);
      await stage.staysAway(AWAY_MS, `after 1000 ${reason}`);
      await stage.holds(false);
      await aPersonTakesOver(stage);
    },
  };
}

/** How a client reads the end of a connection. */
export const endingChecks: readonly Check[] = [
  finalCode(4511, 'which it knows'),
  finalCode(4529, 'two machines that fight over the seat'),
  finalCode(4788, 'which no version has yet'),
  finalCode(4999, 'the last one'),
  comesBack(
    'retry-4321',
    4321,
    'from_a_later_version',
    'comes back after a code below 4500 that it does not know',
  ),
  comesBack('retry-1011', 1011, '', 'comes back after 1011, which a proxy may send'),
  comesBack('1000-bare', 1000, '', 'takes 1000 without a reason for a lost connection'),
  finalRelease('released'),
  finalRelease('left'),
  {
    id: 'evicted',
    title: 'loses the seat at evicted, before the close has come',
    why: 'the seat is on another machine already; two would work at once',
    tags: ['evicted-at-once', 'final-codes'],
    async run(stage) {
      const { link } = await stage.seated();
      evict(link, 'taken_over');
      await stage.holds(false);
      expectThat(stage.broker.dials.length === 1, 'it dialled again after evicted');
      link.closeFor('taken_over');
      await stage.staysAway(AWAY_MS, 'after evicted and 4509 taken_over');
      await aPersonTakesOver(stage);
    },
  },
  {
    id: 'evicted-first',
    title: 'understands evicted without a welcome before it',
    why: 'the seat may be taken while the claim is on its way',
    tags: ['evicted-first'],
    async run(stage) {
      stage.start();
      const link = await stage.connection('the first handshake');
      evict(link, 'taken_over');
      link.closeFor('taken_over');
      await stage.staysAway(AWAY_MS, 'after evicted as the first message');
      expectThat(stage.program.holds !== true, 'it holds a seat that it never had');
      await aPersonTakesOver(stage);
    },
  },
  {
    id: 'evicted-no-close',
    title: 'stays away where the close behind evicted got lost',
    why: 'the message says all; whoever comes back is one machine more in the fight',
    tags: ['evicted-without-close'],
    async run(stage) {
      const { link } = await stage.seated();
      evict(link, 'evicted_by_admin');
      await stage.holds(false);
      link.cut();
      await stage.staysAway(AWAY_MS, 'after evicted, because no close frame came');
      await aPersonTakesOver(stage);
    },
  },
  {
    id: 'evicted-unknown',
    title: 'takes an eviction for final whose reason it does not know',
    why: 'a later version has more reasons; to stay away harms nobody',
    tags: ['evicted-without-close'],
    async run(stage) {
      const { link } = await stage.seated();
      evict(link, 'because_of_something_new');
      await stage.holds(false);
      link.cut();
      await stage.staysAway(AWAY_MS, 'after evicted with a reason that it does not know');
      await aPersonTakesOver(stage);
    },
  },
];
