import type { Check } from '../check.js';
import { NotRun } from '../finding.js';
import { newGrant } from '../grants.js';
import type { Link } from '../link.js';
import { expectThat, notAfter, type Stage } from '../stage.js';
import { conflicted, refuse, takeovers, waits } from './conflict.js';
import { AWAY_MS } from './endings.js';

/** A program whose person answers, and has the seat. */
async function seatedAnswering(stage: Stage): Promise<Link> {
  const { link, grant } = await stage.seated(newGrant(), { environment: { SEAT_ASKS: '1' } });
  if (link.hello?.asks !== true)
    throw new NotRun('the client answers nobody: its hello has no asks, although SEAT_ASKS is set');
  link.renew(grant);
  return link;
}

function request(link: Link, answerWithinMs: number): void {
  link.send({ type: 'takeover_requested', by: { machine: { name: 'laptop' } }, answerWithinMs });
}

/** A program that waits while the holder of the seat is asked, as its person chose. */
async function asking(stage: Stage): Promise<Link> {
  await conflicted(stage);
  stage.tell('ask');
  await stage.ifItCan('the client asks no holder: it did not dial at the line "ask"', () =>
    stage.broker.dials.at(-1)?.number !== 2 ? stage.broker.dials.at(-1) : null,
  );
  const link = await stage.connection('a handshake after a person typed "ask"');
  expectThat(
    link.hello?.onConflict === 'ask',
    `after "ask" its hello has onConflict "${link.hello?.onConflict ?? 'takeover'}"`,
  );
  refuse(link, { asking: true, waitMs: 15_000 });
  return link;
}

/** What a client does where a machine asks for the seat of another one. */
export const askingChecks: readonly Check[] = [
  {
    id: 'asks',
    title: 'says in every hello that its program answers, and only where it does',
    why: 'the broker asks nobody who does not answer, and the other machine would get the seat at once',
    tags: ['asks-told'],
    async run(stage) {
      const link = await seatedAnswering(stage);
      link.cut();
      const next = await stage.connection('a handshake after the connection broke', 1_000);
      expectThat(next.hello?.asks === true, 'its second hello has no asks');
    },
  },
  {
    id: 'asks-untold',
    title:
      'does not say that its program answers where it does not, and keeps its seat when asked all the same',
    why: 'the other machine would wait for an answer that never comes',
    tags: ['asks-told', 'ask-keeps-seat'],
    async run(stage) {
      const { link, grant } = await stage.seated();
      link.renew(grant);
      expectThat(link.hello?.asks !== true, 'its hello has asks, although SEAT_ASKS is not set');
      request(link, 500);
      await stage.keepsSeat(link, 1_500, 'after takeover_requested');
    },
  },
  {
    id: 'ask-yield',
    title: 'hands on what the person says, and keeps the seat until it is evicted',
    why: 'the other machine may have gone meanwhile; then the seat stays here, also after a yes',
    tags: ['ask-keeps-seat'],
    async run(stage) {
      const link = await seatedAnswering(stage);
      request(link, 1_000);
      await stage.keepsSeat(link, 1_500, 'after takeover_requested, when the time was over');
      request(link, 60_000);
      await stage.pass(300);
      stage.tell('yield 5000');
      const answer = await stage.message(link, 'answer');
      expectThat(answer.yield, 'the person yields, and its answer does not');
      expectThat(answer.needMs === 5_000, `the person needs 5 s, and its answer says ${answer.needMs}`);
      await stage.keepsSeat(link, 1_000, 'after its answer');
      const { epoch } = newGrant();
      link.send({ type: 'evicted', reason: 'taken_over', at: Date.now(), epoch });
      await stage.holds(false);
    },
  },
  {
    id: 'ask-refuse',
    title: 'hands on that the person refuses, and goes on',
    why: 'the person is in the middle of something',
    tags: ['ask-keeps-seat'],
    async run(stage) {
      const link = await seatedAnswering(stage);
      request(link, 60_000);
      await stage.pass(300);
      stage.tell('refuse');
      const answer = await stage.message(link, 'answer');
      expectThat(!answer.yield, 'the person refuses, and its answer yields');
      link.send({ type: 'takeover_withdrawn' });
      await stage.keepsSeat(link, 1_000, 'after it refused');
    },
  },
  {
    id: 'ask',
    title: 'asks for the seat when a person chooses that, and comes back without asking',
    why: 'a program that asks by itself disturbs a person again and again',
    tags: ['ask-by-person', 'ask-waits', 'reconnect-deny'],
    async run(stage) {
      const link = await asking(stage);
      await waits(stage, link, AWAY_MS, 'while the holder is asked');
      link.close(1011);
      const next = await stage.connection('a handshake after the waiting connection was lost', 2_000);
      const policy = next.hello?.onConflict ?? 'takeover';
      expectThat(policy === 'deny', `it comes back with onConflict "${policy}"`);
    },
  },
  {
    id: 'ask-granted',
    title: 'takes the seat that the holder yields, on the connection that waits',
    why: 'the person waits for it',
    tags: ['ask-waits', 'lease-base'],
    async run(stage) {
      const link = await asking(stage);
      await waits(stage, link, 1_500, 'while the holder is asked');
      refuse(link, { asking: true, waitMs: 5_000 });
      await waits(stage, link, 500, 'while the holder saves');
      const grant = newGrant({ ttlMs: 5_000, renewEveryMs: 500 });
      link.welcome(grant, { displaced: { machine: { name: 'laptop' } } });
      await stage.holds(true);
      link.renew(grant);
      await stage.keepsSeat(link, 1_500, 'right after the holder yielded');
    },
  },
  {
    id: 'ask-crossed',
    title: 'does not date the grant after a yes from a click that crossed it',
    why: 'the grant may have lain in a buffer, and by the clock of the node the seat ends long before',
    tags: ['ask-undated'],
    async run(stage) {
      const link = await asking(stage);
      const { elapsedMs, toldMs: writtenMs } = link;
      await stage.pass(6_000);
      await stage.takeOver(link);
      stage.broker.stopListening();
      const { sessionId, epoch, renewEveryMs } = newGrant();
      const grant = { sessionId, epoch, renewEveryMs, ttlMs: 10_000, resumed: false, license: null };
      link.send({ type: 'welcome', ...grant }, elapsedMs);
      await stage.holds(true);
      notAfter('"holds false"', await stage.holds(false, 18_000), writtenMs, 10_000 + stage.slowMs);
    },
  },
  {
    id: 'ask-refused',
    title: 'waits on where the holder says no, and leaves the rest to the person',
    why: 'whoever is refused and takes the seat all the same need not have asked',
    tags: ['ask-refused', 'takeover-by-person'],
    async run(stage) {
      const link = await asking(stage);
      link.send({ type: 'ask_refused' });
      await waits(stage, link, AWAY_MS, 'after ask_refused');
      expectThat(takeovers(link).length === 0, 'it took the seat after ask_refused');
      await stage.takeOver(link);
      link.welcome(newGrant());
      await stage.holds(true);
    },
  },
];
