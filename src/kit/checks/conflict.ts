import type { ConflictMessage } from '#client/protocol/messages.js';
import type { Check } from '../check.js';
import { newGrant } from '../grants.js';
import type { Link } from '../link.js';
import { expectThat, type Stage } from '../stage.js';
import { AWAY_MS } from './endings.js';

export function refuse(link: Link, more: Partial<ConflictMessage> = {}): void {
  link.send({ type: 'conflict', holder: { machine: { name: 'laptop' }, since: Date.now() }, ...more });
}

export function takeovers(link: Link) {
  return link.messages.flatMap((message) => (message.type === 'takeover' ? [message] : []));
}

/** A client that had the seat, lost its connection, and finds the seat on another machine. */
export async function conflicted(
  stage: Stage,
  environment: Readonly<Record<string, string>> = {},
  ofHolder: Partial<ConflictMessage['holder']> = {},
): Promise<Link> {
  const { link, grant } = await stage.seated(newGrant(), { environment });
  link.lease(grant);
  link.close(1011);
  const next = await stage.connection('a handshake after the connection broke', 1_000);
  refuse(next, { holder: { machine: { name: 'laptop' }, since: Date.now(), ...ofHolder } });
  await stage.holds(false);
  return next;
}

/** Nothing that only a person may cause. */
export function waits(stage: Stage, link: Link, forMs: number, why: string): Promise<void> {
  const { dials } = stage.broker;
  const before = dials.length;
  return stage.mustNot(forMs, () => {
    if (link.has('takeover')) return `it took the seat without a person ${why}`;
    if (link.ended !== null) return `it left the connection that waits ${why}`;
    return dials.length > before && `it dialled again ${why}`;
  });
}

/** What a client does while the seat is on another machine. */
export const conflictChecks: readonly Check[] = [
  {
    id: 'conflict',
    title: 'loses the seat where a conflict answers its reconnect, and takes it only for a person',
    why: 'the person is at the other machine; to take the seat back throws them out',
    tags: ['conflict-lost', 'takeover-by-person'],
    async run(stage) {
      const link = await conflicted(stage);
      await waits(stage, link, AWAY_MS, 'after a conflict');
      await stage.takeOver(link);
      link.welcome(newGrant(), { displaced: { machine: { name: 'laptop' } } });
      await stage.holds(true);
    },
  },
  {
    id: 'seat-free',
    title: 'does not take a seat that became free by itself',
    why: 'the seat is free because a person goes from one machine to another, perhaps to a third',
    tags: ['takeover-by-person', 'ignore-unknown'],
    async run(stage) {
      const link = await conflicted(stage);
      link.sendText('{"type":"seat_free"}');
      await waits(stage, link, AWAY_MS, 'after seat_free');
      await stage.takeOver(link);
      link.welcome(newGrant());
      await stage.holds(true);
    },
  },
  {
    id: 'take-if-free',
    title: 'displaces nobody where it takes a free seat by itself',
    why: 'two machines may be told that the seat is free, and a person may sit at the other one by now',
    tags: ['take-if-free'],
    async run(stage) {
      const link = await conflicted(stage, { SEAT_TAKES_FREE: '1' });
      link.send({ type: 'seat_free' });
      await stage.ifItCan('the client takes no free seat by itself, although SEAT_TAKES_FREE is set', () =>
        link.has('takeover'),
      );
      const isIfFree = () => takeovers(link).every(({ ifFree }) => ifFree === true);
      expectThat(isIfFree(), 'its takeover has no ifFree, and no person asked for it');
      refuse(link);
      await stage.pass(AWAY_MS);
      expectThat(
        takeovers(link).length === 1,
        'somebody was faster, and it asks again without another seat_free',
      );
      link.send({ type: 'seat_free' });
      await stage.must('a takeover after the second seat_free', () => takeovers(link)[1]);
      expectThat(isIfFree(), 'its second takeover has no ifFree, and no person asked for it');
      link.welcome(newGrant());
      await stage.holds(true);
    },
  },
  {
    id: 'click-follows',
    title: 'takes the seat for a person who clicks while it takes a free one, after the answer to that',
    why: 'the click would be lost, or be a second question before the first is answered',
    tags: ['one-takeover', 'take-if-free'],
    async run(stage) {
      const link = await conflicted(stage, { SEAT_TAKES_FREE: '1' });
      link.send({ type: 'seat_free' });
      await stage.ifItCan('the client takes no free seat by itself, although SEAT_TAKES_FREE is set', () =>
        link.has('takeover'),
      );
      stage.tell('takeover');
      await stage.pass(500);
      expectThat(takeovers(link).length === 1, 'it asks again before the first takeover is answered');
      refuse(link);
      const second = await stage.must('a takeover for the click', () => takeovers(link)[1]);
      expectThat(second.ifFree !== true, 'the person chose "use here", and its takeover has ifFree');
      link.welcome(newGrant(), { displaced: { machine: { name: 'laptop' } } });
      await stage.holds(true);
    },
  },
  {
    id: 'one-takeover',
    title: 'asks for the seat once, however often a person clicks before the answer',
    why: 'the age of the lease is counted from the question, and two questions have one answer each',
    tags: ['one-takeover'],
    async run(stage) {
      const link = await conflicted(stage);
      await stage.takeOver(link);
      stage.tell('takeover');
      await stage.pass(500);
      expectThat(takeovers(link).length === 1, 'it asks again before the first takeover is answered');
      link.welcome(newGrant());
      await stage.holds(true);
    },
  },
  {
    id: 'conflict-again',
    title: 'asks a second time where a takeover was answered with a conflict',
    why: 'somebody was faster; the person may choose once more',
    tags: ['takeover-by-person'],
    async run(stage) {
      const link = await conflicted(stage);
      await stage.takeOver(link);
      refuse(link);
      await stage.pass(500);
      stage.tell('takeover');
      await stage.must('a second takeover', () => link.messages.filter(({ type }) => type === 'takeover')[1]);
      link.welcome(newGrant());
      await stage.holds(true);
    },
  },
  {
    id: 'conflict-reconnect',
    title: 'comes back without taking and without a session where the waiting connection is lost',
    why: 'it has no session any more, and no person has chosen',
    tags: ['conflict-wait', 'conflict-lost'],
    async run(stage) {
      const link = await conflicted(stage);
      link.close(1011);
      const next = await stage.connection('a handshake after the waiting connection was lost', 2_000);
      const { onConflict = 'takeover', resume } = next.hello ?? {};
      expectThat(onConflict === 'deny', `its hello has onConflict "${onConflict}"`);
      expectThat(resume === undefined, 'its hello resumes a session that it has lost');
    },
  },
  {
    id: 'conflict-silence',
    title: 'waits for as long as pings come, and takes their absence for a loss',
    why: 'while a conflict waits, only pings show that the broker lives',
    tags: ['conflict-silence'],
    isLong: true,
    async run(stage) {
      stage.needs('pings', 'the platform does not show pings, as was said with --hides pings');
      const link = await conflicted(stage);
      const beat = setInterval(() => link.ended === null && link.ping('beat'), 1_000);
      try {
        await waits(stage, link, 6_500, 'although pings came');
      } finally {
        clearInterval(beat);
      }
      const next = await stage.connection('a handshake after pings stayed away', 6_000);
      expectThat(next.hello?.onConflict === 'deny', 'its hello takes the seat');
    },
  },
  {
    id: 'takeover-age',
    title: 'counts the welcome that answers a takeover from when it asked for that',
    why: 'a person may think for an hour before they choose',
    tags: ['lease-base'],
    async run(stage) {
      const link = await conflicted(stage);
      await stage.pass(6_000);
      await stage.takeOver(link);
      const grant = newGrant({ ttlMs: 5_000, renewEveryMs: 500 });
      link.welcome(grant);
      await stage.holds(true);
      link.renew(grant);
      await stage.keepsSeat(link, 1_500, 'right after a takeover');
    },
  },
  {
    id: 'retry',
    title: 'tries at once when a person asks, without taking the seat',
    why: 'a person who bought a license, or has the network back, does not want to wait',
    tags: ['person-may-retry'],
    async run(stage) {
      const { link } = await stage.seated();
      link.closeFor('license_expired');
      await stage.holds(false);
      stage.tell('retry');
      const next = await stage.connection('a handshake after a person typed "retry"');
      expectThat(next.hello?.onConflict === 'deny', 'after "retry" its hello takes the seat');
      next.welcome(newGrant());
      await stage.holds(true);
    },
  },
  {
    id: 'retry-waiting',
    title: 'cuts a long wait short when a person asks',
    why: 'the person sees that the network is back, and the program sits out its time',
    tags: ['person-may-retry'],
    async run(stage) {
      stage.start();
      const link = await stage.connection('the first handshake');
      link.send({ type: 'error', code: 'rate_limited', message: 'too many', retryAfterMs: 120_000 });
      link.closeFor('rate_limited');
      await stage.staysAway(1_500, 'before retryAfterMs was over');
      stage.tell('retry');
      const next = await stage.connection('a handshake after a person typed "retry"');
      expectThat(next.hello?.onConflict === 'deny', 'after "retry" its hello takes the seat');
      next.welcome(newGrant());
      await stage.holds(true);
    },
  },
];
