import type { HelloMessage } from '#client/protocol/messages.js';
import type { Check } from '../check.js';
import { NotRun } from '../finding.js';
import { type Grant, laterThan, newGrant } from '../grants.js';
import type { Link } from '../link.js';
import { expectThat, type Stage } from '../stage.js';
import { TicketKey } from '../tickets.js';
import { AWAY_MS } from './endings.js';

const KEY_NAME = 'kit-2026';
/** For a client to count on what it should not. */
const READ_MS = 1_200;

/** A program that has the vendor's key, and a broker that has it too. */
interface Meeting {
  readonly stage: Stage;
  readonly key: TicketKey;
  readonly link: Link;
}

async function meet(stage: Stage): Promise<Meeting> {
  const key = new TicketKey(KEY_NAME);
  stage.start({ SEAT_NONCE_KEYS: key.keySet });
  const link = await stage.connection('the first handshake');
  const { nonce } = JSON.parse(link.texts[0] ?? '{}');
  if (nonce === undefined)
    throw new NotRun('the client checks no ticket: its hello has no nonce, although SEAT_NONCE_KEYS is set');
  // Another one counts as left out, and would get no ticket.
  expectThat(
    link.hello?.nonce !== undefined,
    `its nonce is not one of 16 to 64 characters: ${JSON.stringify(nonce)}`,
  );
  return { stage, key, link };
}

function claimsOf({ sessionId, epoch }: Grant, { nonce, machine }: HelloMessage): object {
  const iat = Math.floor(Date.now() / 1_000);
  const user = { iss: 'soleseat', sub: 'ada', org: 'acme', machine: machine.id };
  return { ...user, sessionId, epoch, iat, exp: iat + 30, nonce };
}

function helloOf({ hello }: Link): HelloMessage {
  if (hello === null) throw new Error('the hello was waited for');
  return hello;
}

/** A broker that is not the vendor's: what it shows is made by `forge`. */
function refuses(
  id: string,
  what: string,
  forge: (meeting: Meeting, grant: Grant) => string | undefined,
): Check {
  return {
    id: `ticket-${id}`,
    title: `does not count on the seat, nor tries again, where the ticket of welcome ${what}`,
    why: 'whoever runs a broker of their own would use the program without a license',
    tags: ['ticket-proves', 'ticket-first', 'untrusted-final'],
    async run(stage) {
      const meeting = await meet(stage);
      const { link } = meeting;
      const grant = newGrant();
      const ticket = forge(meeting, grant);
      link.welcome(grant, ticket === undefined ? {} : { ticket });
      link.lease(grant);
      const held = () => stage.program.printed.some(({ holds }) => holds);
      const finding = 'it counted on the seat, or on the lease behind that welcome';
      await stage.mustNot(READ_MS, () => held() && finding);
      await stage.closed(link);
      await stage.staysAway(AWAY_MS, 'after a welcome that proves nothing');
      expectThat(!held(), finding);
      stage.tell('retry');
      const next = await stage.connection('a handshake after a person typed "retry"');
      const later = newGrant();
      next.welcome(later, { ticket: meeting.key.sign(claimsOf(later, helloOf(next))) });
      await stage.holds(true);
    },
  };
}

/** What a client does that tells the vendor's broker from another one. */
export const ticketChecks: readonly Check[] = [
  {
    id: 'nonce',
    title: 'shows a new nonce in each hello, and holds the seat where the ticket has it',
    why: 'a ticket that was seen once would do for ever',
    tags: ['nonce-fresh', 'ticket-proves'],
    async run(stage) {
      const { key, link } = await meet(stage);
      const first = helloOf(link);
      const grant = newGrant();
      link.welcome(grant, { ticket: key.sign(claimsOf(grant, first)) });
      await stage.holds(true);
      link.lease(grant);
      link.cut();
      const next = await stage.connection('a handshake after the connection broke', 1_000);
      const second = helloOf(next);
      expectThat(second.nonce !== undefined, 'its second hello has no nonce');
      expectThat(second.nonce !== first.nonce, 'its second hello has the nonce of the first');
      const resumed = laterThan(grant);
      next.welcome(resumed, { resumed: true, ticket: key.sign(claimsOf(resumed, second)) });
      next.renew(resumed);
      await stage.keepsSeat(next, 1_200, 'with a good ticket');
    },
  },
  {
    id: 'ticket-clock',
    title: 'judges the ticket of welcome by nonce and signature, not by its clock',
    why: 'the clock of many a computer is wrong by hours, and its user could never work',
    tags: ['ticket-no-clock'],
    async run(stage) {
      const { key, link } = await meet(stage);
      const grant = newGrant();
      const tenYearsAgo = { iat: 1_480_000_000, exp: 1_480_000_030 };
      link.welcome(grant, { ticket: key.sign({ ...claimsOf(grant, helloOf(link)), ...tenYearsAgo }) });
      await stage.holds(true);
    },
  },
  {
    id: 'ticket-lease',
    title: 'counts on no lease of a connection whose welcome has not come',
    why: "a broker that is not the vendor's need not say welcome to keep a seat alive",
    tags: ['ticket-first'],
    async run(stage) {
      const { key, link } = await meet(stage);
      const grant = newGrant({ ttlMs: 4_000 });
      link.welcome(grant, { ticket: key.sign(claimsOf(grant, helloOf(link))) });
      await stage.holds(true);
      link.cut();
      const next = await stage.connection('a handshake after the connection broke', 1_000);
      next.lease({ ...laterThan(grant), ttlMs: 60_000 });
      await stage.holds(false, grant.ttlMs);
    },
  },
  refuses('missing', 'is not there', () => undefined),
  refuses('forged', 'is signed with another key', ({ link }, grant) =>
    new TicketKey(KEY_NAME).sign(claimsOf(grant, helloOf(link))),
  ),
  refuses('nonce', 'has the nonce of another hello', ({ key, link }, grant) =>
    key.sign(claimsOf(grant, { ...helloOf(link), nonce: '0123456789abcdef0123456789abcdef' })),
  ),
  refuses('session', 'is for another session', ({ key, link }) =>
    key.sign(claimsOf(newGrant(), helloOf(link))),
  ),
  refuses('type', 'is another kind of token', ({ key, link }, grant) =>
    key.sign(claimsOf(grant, helloOf(link)), { typ: 'JWT' }),
  ),
];
