import type { Check } from '../check.js';
import { NotRun } from '../finding.js';
import { newGrant } from '../grants.js';
import type { Link } from '../link.js';
import { expectThat, notBefore, type Stage } from '../stage.js';
import { AWAY_MS } from './endings.js';

/** For a line on the standard input to be read, and acted on. */
const TYPED_MS = 400;

/** A program that tells when a person was at work, seated where the org has an idle limit. */
async function seatedWith(stage: Stage, reportEveryMs: number, idleMs = 0): Promise<Link> {
  const { link, grant } = await stage.seated(newGrant(), {
    environment: { SEAT_IDLE: String(idleMs) },
    more: { idle: { limitMs: 600_000, warnMs: 60_000, reportEveryMs } },
  });
  if (link.hello?.idleMs === undefined)
    throw new NotRun('the client knows no idle limit: its hello has no idleMs, although SEAT_IDLE is set');
  link.renew(grant);
  return link;
}

function activities(link: Link) {
  return link.messages.flatMap((message) => (message.type === 'activity' ? [message] : []));
}

/** What a client does where an org ends sessions at which nobody works. */
export const idleChecks: readonly Check[] = [
  {
    id: 'idle-hello',
    title: 'tells in every hello how long nobody was at work',
    why: 'without it a reconnect would look like a person at work, and an idle seat would never be free',
    tags: ['idle-hello'],
    async run(stage) {
      const link = await seatedWith(stage, 60_000, 5_000);
      const first = link.hello?.idleMs ?? 0;
      expectThat(first >= 5_000, `nobody was at work for 5 s and more, and its hello says ${first} ms`);
      stage.tell('idle 70000');
      await stage.pass(TYPED_MS);
      link.cut();
      const next = await stage.connection('a handshake after the connection broke', 1_000);
      const { idleMs } = next.hello ?? {};
      expectThat(idleMs !== undefined, 'its second hello has no idleMs');
      expectThat((idleMs ?? 0) >= 70_000, `nobody was at work for 70 s, and its hello says ${idleMs} ms`);
    },
  },
  {
    id: 'idle-untold',
    title: 'says nothing of idleness where its program does not tell',
    why: 'the broker would end a session although its user works',
    tags: ['idle-untold'],
    async run(stage) {
      const { link } = await stage.seated(newGrant(), {
        more: { idle: { limitMs: 600_000, warnMs: 60_000, reportEveryMs: 100 } },
      });
      expectThat(link.hello?.idleMs === undefined, 'its hello has idleMs, although SEAT_IDLE is not set');
      stage.tell('active');
      await stage.keepsSeat(link, TYPED_MS, 'at the line "active"');
      expectThat(!link.has('activity'), 'it sends activity, although SEAT_IDLE is not set');
    },
  },
  {
    id: 'activity',
    title: 'tells that a person is at work, at most once in an interval, and the latest one always',
    why: 'each key that is pressed would be a message; and a person who worked a minute ago would count as away',
    tags: ['activity-spacing', 'activity-latest'],
    async run(stage) {
      const everyMs = 2_500;
      const link = await seatedWith(stage, everyMs);
      stage.tell('active');
      await stage.message(link, 'activity');
      const firstMs = performance.now();
      for (let key = 0; key < 3; key++) {
        await stage.pass(250);
        stage.tell('active');
      }
      const lastKeyMs = performance.now();
      const second = await stage.must(
        'an activity for what came after the first',
        () => activities(link)[1],
        everyMs,
      );
      const nowMs = performance.now();
      notBefore('its second activity', nowMs, firstMs, everyMs - TYPED_MS);
      const agoMs = second.idleMs ?? 0;
      const mostMs = nowMs - lastKeyMs;
      // The line that says so takes its time to be read.
      expectThat(
        mostMs < 1_000 || (agoMs > mostMs / 4 && agoMs <= mostMs + 1_000),
        `the person was at work ${Math.round(mostMs)} ms ago, and its second activity says ${agoMs} ms`,
      );
      await stage.pass(TYPED_MS);
      expectThat(activities(link).length === 2, 'it sent the same activity twice');
    },
  },
  {
    id: 'idle-warning',
    title: 'tells at once after an idle_warning that a person is at work',
    why: 'the person moves the mouse in time, and loses the seat',
    tags: ['idle-warning', 'activity-spacing'],
    async run(stage) {
      const link = await seatedWith(stage, 60_000);
      stage.tell('active');
      await stage.message(link, 'activity');
      link.send({ type: 'idle_warning', inMs: 60_000 });
      await stage.keepsSeat(link, TYPED_MS, 'after idle_warning');
      expectThat(activities(link).length === 1, 'it says that a person is at work, and nobody is');
      stage.tell('active');
      await stage.must('an activity right after idle_warning', () => activities(link)[1]);
      stage.tell('active');
      await stage.pass(TYPED_MS);
      expectThat(
        activities(link).length === 2,
        'after one activity it does not wait for the interval any more',
      );
    },
  },
  {
    id: 'idle-timeout',
    title: 'gives up where its session was ended for being idle, and leaves the rest to a person',
    why: 'a program that comes back by itself keeps a seat at which nobody works',
    tags: ['final-codes', 'evicted-without-close', 'person-may-retry'],
    async run(stage) {
      const { link } = await stage.seated();
      link.send({ type: 'evicted', reason: 'idle_timeout', at: Date.now(), epoch: newGrant().epoch });
      await stage.holds(false);
      link.cut();
      await stage.staysAway(AWAY_MS, 'after evicted idle_timeout');
      stage.tell('retry');
      const next = await stage.connection('a handshake after a person typed "retry"');
      next.welcome(newGrant());
      await stage.holds(true);
    },
  },
];
