import type { Check } from '../check.js';
import { NotRun } from '../finding.js';
import { type Grant, newGrant } from '../grants.js';
import type { Link } from '../link.js';
import { expectThat, type Stage } from '../stage.js';
import { TicketKey } from '../tickets.js';
import { conflicted, refuse, takeovers } from './conflict.js';
import { AWAY_MS } from './endings.js';

const DAY_MS = 86_400_000;

/** A program whose person wants to take the seat along, and has asked for it. */
async function asksToLeave(stage: Stage): Promise<{ link: Link; grant: Grant }> {
  const { link, grant } = await stage.seated();
  link.lease(grant);
  stage.tell(`leave ${DAY_MS}`);
  const asked = await stage.ifItCan(
    'the client takes no seat along: it sent no leave at the line "leave MS"',
    () => link.messages.find(({ type }) => type === 'leave'),
  );
  expectThat('forMs' in asked && asked.forMs === DAY_MS, 'its leave has another forMs than its person chose');
  return { link, grant };
}

function ticketOf({ sessionId, epoch }: Grant): string {
  const iat = Math.floor(Date.now() / 1_000);
  const user = { iss: 'soleseat', sub: 'ada', org: 'acme', machine: 'kit-machine-7f3a' };
  return new TicketKey('kit-2026').sign({ ...user, sessionId, epoch, iat, exp: iat + DAY_MS / 1_000 });
}

/** A program that comes back with a ticket. */
async function returns(stage: Stage): Promise<{ link: Link; ticket: string }> {
  const ticket = ticketOf(newGrant());
  stage.start({ SEAT_TICKET: ticket });
  const link = await stage.connection('the first handshake');
  if (link.hello?.ticket === undefined)
    throw new NotRun(
      'the client comes back from no leave: its hello has no ticket, although SEAT_TICKET is set',
    );
  expectThat(link.hello.ticket === ticket, 'its hello has another ticket than the one that was kept');
  return { link, ticket };
}

/** What a client does about a seat that is taken along offline. */
export const takingAlongChecks: readonly Check[] = [
  {
    id: 'leave',
    title: 'takes the seat along, and does not come back by itself',
    why: 'the next hello of the machine ends the leave',
    tags: ['leave-left', 'left-final'],
    async run(stage) {
      const { link, grant } = await asksToLeave(stage);
      await stage.pass(500);
      expectThat(stage.program.exited === null && link.ended === null, 'it left before left came');
      link.send({ type: 'left', ticket: ticketOf(grant), forMs: DAY_MS });
      link.closeFor('left');
      await stage.exit();
      expectThat(stage.broker.dials.length === 1, 'it dialled again after left');
    },
  },
  {
    id: 'left-no-close',
    title: 'does not come back either where the close behind left got lost',
    why: 'the connection may break at any time, and left has said it all',
    tags: ['left-final'],
    async run(stage) {
      const { link, grant } = await asksToLeave(stage);
      link.send({ type: 'left', ticket: ticketOf(grant), forMs: DAY_MS });
      await stage.transcript.until(() => (stage.program.exited === null ? null : true), 300);
      link.cut();
      await stage.exit();
      await stage.staysAway(AWAY_MS, 'after left');
    },
  },
  {
    id: 'leave-refused',
    title: 'goes on where the seat may not be taken along',
    why: 'the person works on, here',
    tags: ['leave-left'],
    async run(stage) {
      const { link, grant } = await asksToLeave(stage);
      link.send({ type: 'error', code: 'leave_not_allowed', message: 'the org does not allow it' });
      link.renew(grant);
      await stage.keepsSeat(link, 1_500, 'after leave_not_allowed');
    },
  },
  {
    id: 'leave-lost',
    title: 'has not left where the connection is lost before left came, and comes back with its session',
    why: 'the broker turned the leave back; a program that thinks that it left has no ticket',
    tags: ['leave-left', 'reconnect-deny', 'resume-latest'],
    async run(stage) {
      const { link, grant } = await asksToLeave(stage);
      link.cut();
      const next = await stage.connection('a handshake after the connection broke', 1_000);
      const { onConflict = 'takeover', resume } = next.hello ?? {};
      expectThat(onConflict === 'deny', `it comes back with onConflict "${onConflict}"`);
      expectThat(resume?.sessionId === grant.sessionId, 'it comes back without its session');
      const resumed = next.resume(grant);
      next.renew(resumed);
      await stage.keepsSeat(next, 1_000, 'after a leave that came to nothing');
    },
  },
  {
    id: 'ticket-shown',
    title: 'shows the ticket of its leave until a welcome comes, and then no more',
    why: 'without it a seat that Redis lost is lost; and an old ticket may put back what has ended',
    tags: ['ticket-shown', 'ticket-once'],
    async run(stage) {
      const { link, ticket } = await returns(stage);
      link.close(1011);
      const second = await stage.connection('a handshake after the connection broke', 1_000);
      expectThat(second.hello?.ticket === ticket, 'its second hello has no ticket, and no welcome has come');
      const grant = newGrant();
      second.welcome(grant);
      await stage.holds(true);
      second.lease(grant);
      second.cut();
      const third = await stage.connection('a handshake after the seat was here', 1_000);
      expectThat(third.hello?.ticket === undefined, 'it shows the ticket again after a welcome');
    },
  },
  {
    id: 'holder-on-leave',
    title:
      'waits where the seat was taken along by another machine, and goes on waiting where it may not be taken',
    why: 'the holder works offline, and cannot be told',
    tags: ['conflict-lost', 'error-without-close'],
    async run(stage) {
      const link = await conflicted(stage, {}, { onLeaveUntil: Date.now() + DAY_MS });
      await stage.takeOver(link);
      const message = 'the seat is on leave until tomorrow';
      link.send({ type: 'error', code: 'on_leave', message, retryAfterMs: DAY_MS });
      refuse(link, { holder: { machine: { name: 'laptop' }, since: 1, onLeaveUntil: Date.now() + DAY_MS } });
      await stage.mustNot(
        AWAY_MS,
        () => link.ended !== null && 'it left the connection that waits after on_leave',
      );
      stage.tell('takeover');
      await stage.must('a second takeover', () => takeovers(link)[1]);
      link.close(1011);
      const next = await stage.connection(
        'a handshake after a loss that has nothing to do with the leave',
        2_000,
      );
      next.welcome(newGrant());
      await stage.holds(true);
    },
  },
];
