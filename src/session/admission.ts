import type { ConflictPolicy, ErrorMessage, HelloMessage } from '#client/protocol/messages.js';
import type { GateDenial, TokenGate } from '../auth/gate.js';
import type { Tickets } from '../auth/tickets.js';
import type { ClientClaims } from '../auth/tokens.js';
import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { Metrics } from '../base/metrics.js';
import type { Trace, TraceFacts } from '../base/tracing.js';
import type { WallClock } from '../base/wall-clock.js';
import { StoreUnavailable } from '../store/errors.js';
import type { ClaimAnswer, ClaimRequest } from '../store/lease-types.js';
import type { Leases } from '../store/leases.js';
import type { Licenses } from '../store/licenses.js';
import type { Departures } from './departures.js';
import { type IdleWatch, idleTerms } from './idle-watch.js';
import type { Lifecycle } from './lifecycle.js';
import type { Link } from './link.js';
import type { Questions } from './questions.js';
import { excuse, type Refused, refuse } from './refusal.js';
import type { Renewals } from './renewals.js';
import { type Session, tokenOf } from './session.js';
import type { TokenWatch } from './tokens-watch.js';
import type { Waiter, Waiters } from './waiters.js';

export interface AdmissionParts {
  readonly gate: Pick<TokenGate<ClientClaims>, 'judge'>;
  readonly leases: Pick<Leases, 'claim' | 'present'>;
  readonly licenses: Pick<Licenses, 'lookAlike'>;
  /** By which name the org knows a user. */
  readonly knownAs: (org: string, user: string) => Promise<string>;
  readonly lifecycle: Lifecycle;
  readonly renewals: Renewals;
  readonly tokenWatch: TokenWatch;
  readonly idleWatch: IdleWatch;
  readonly questions: Questions;
  readonly waiters: Waiters;
  readonly departures: Departures;
  readonly clock: Clock;
  readonly wallMs: WallClock;
  readonly tickets: Tickets;
  readonly newSessionId: () => string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly renewEveryMs: number;
}

/** One attempt to get in. */
export interface Visit {
  readonly link: Link;
  readonly hello: HelloMessage;
  readonly onConflict: ConflictPolicy;
  /** The question that it completes. */
  readonly ask?: ClaimRequest['ask'];
  /** The claim of this connection that was answered by `conflict` before. */
  readonly waited?: string;
  /** Of the token that the connection has shown before; null where `hello` must bring one. */
  readonly claims: ClientClaims | null;
  /** Null while tracing is off. */
  readonly trace: Trace | null;
}

/** A visit with a token that was accepted. */
interface KnownVisit extends Visit {
  readonly claims: ClientClaims;
}

/** What an attempt came to. */
export type Admission =
  /** The session was welcomed, or its connection has ended meanwhile. */
  | { readonly outcome: 'granted'; readonly claims: ClientClaims; readonly session: Session }
  /** Somebody else has the seat, and the connection waits under the name of its claim. */
  | {
      readonly outcome: 'conflict';
      readonly claims: ClientClaims;
      readonly user: string;
      readonly connection: string;
      readonly question: Waiter['question'];
      readonly freeInMs: Waiter['freeInMs'];
    }
  | { readonly outcome: 'closed'; readonly claims: ClientClaims | null };

type Granted = Extract<ClaimAnswer, { outcome: 'granted' }>;

/** After these the connection stays open for a person's choice. */
const waits = ['conflict', 'ask_refused', 'on_leave'] as const;

interface Claimed<Answer = Granted | Refused> {
  readonly session: Session;
  readonly answer: Answer;
}

/** Lets a visitor in, or tells why not. Each step comes only after the one before it (promise 10). Never rejects. */
export async function admit(visit: Visit, parts: AdmissionParts): Promise<Admission> {
  const claims = authenticate(visit, parts);
  if (claims === null) {
    visit.trace?.end({ outcome: 'refused' });
    return { outcome: 'closed', claims: visit.claims };
  }
  const known = { ...visit, claims };
  let admission: Admission = { outcome: 'closed', claims };
  let facts: TraceFacts = { outcome: 'refused', org: claims.org };
  try {
    const claiming = visit.trace?.step('claim');
    const { session, answer } = await claim(known, parts);
    facts = factsOf(session, answer);
    if (answer.outcome === 'granted') admission = { outcome: 'granted', claims, session };
    else if ((waits as readonly string[]).includes(answer.outcome)) {
      const question = answer.outcome === 'conflict' ? answer.question : null;
      const { user, connection } = session;
      const freeInMs = 'retryAfterMs' in answer ? (answer.retryAfterMs ?? null) : null;
      admission = { outcome: 'conflict', claims, user, connection, question, freeInMs };
    }
    if (answer.outcome !== 'granted') await refuse(known, parts, answer);
    claiming?.end();
    if (answer.outcome === 'granted') {
      const welcoming = visit.trace?.step('welcome');
      welcome(known, parts, { session, answer });
      welcoming?.end();
    }
  } catch (error) {
    excuse(visit.link, parts.log, error);
  }
  visit.trace?.end(facts);
  return admission;
}

function authenticate({ link, hello, claims }: Visit, { gate, wallMs }: AdmissionParts): ClientClaims | null {
  if (claims !== null) {
    // It was good when the connection began, which may be long ago.
    if (claims.expiresAtMs > wallMs()) return claims;
    link.end('token_expired');
    return null;
  }
  const verdict = gate.judge(hello.token, 'hello');
  if (verdict.ok) return verdict.claims;
  const notYet = notYetAccepted(verdict);
  if (notYet !== null) link.end('token_not_yet_accepted', notYet);
  else link.end(verdict.reason === 'expired' ? 'token_expired' : 'unauthorized');
  return null;
}

/** What a client is told of a token that time may mend; null for one that is refused for good. */
export function notYetAccepted({ retryAfterMs }: GateDenial): ErrorMessage | null {
  if (retryAfterMs === undefined) return null;
  return {
    type: 'error',
    code: 'token_not_yet_accepted',
    message: 'the key of this token is not known yet, or it begins later: fetch another one',
    retryAfterMs,
  };
}

/** `user`: by which name the org knows the person. Throws where no answer can be had. */
async function claim(visit: KnownVisit, parts: AdmissionParts, user = visit.claims.user): Promise<Claimed> {
  const { lifecycle, renewals, metrics } = parts;
  const { org } = visit.claims;
  const claimant = {
    ...visit.hello,
    org,
    user,
    sessionId: parts.newSessionId(),
    token: tokenOf(visit.claims),
  };
  const ticket = ticketIn(visit, user, parts);
  const session = lifecycle.begin(claimant, visit.link);
  const sentMs = parts.clock();
  const answer = await askFor(session, visit, parts, ticket);
  if (answer.outcome === 'spelled') {
    lifecycle.drop(session);
    return claim(visit, parts, answer.user);
  }
  metrics.claims.inc({ outcome: outcomeOf(answer) });
  if (answer.outcome === 'granted' && answer.isOverdrawn) metrics.overdrafts.inc();
  if (answer.outcome === 'granted') lifecycle.granted(session, answer, renewals.deadlineFrom(sentMs));
  else lifecycle.refused(session, answer);
  return { session, answer };
}

/** The ticket of a leave, where it is our own, and of this very user and machine. */
function ticketIn({ hello, claims }: KnownVisit, user: string, { tickets }: AdmissionParts) {
  const ticket = hello.ticket === undefined ? null : tickets.read(hello.ticket);
  const isOwn = ticket?.org === claims.org && ticket.user === user && ticket.machineId === hello.machine.id;
  return isOwn && ticket.nonce === undefined ? ticket : null;
}

async function askFor(
  session: Session,
  visit: Visit,
  parts: AdmissionParts,
  ticket: ClaimRequest['ticket'] | null,
): Promise<ClaimAnswer> {
  const { hello, onConflict, ask, waited, trace } = visit;
  const { leases, lifecycle, metrics, clock } = parts;
  const sentMs = clock();
  try {
    return await leases.claim({
      ...session.lease(),
      requestId: session.connection,
      licenseId: session.sessionId,
      machine: hello.machine,
      onConflict,
      ...(ask && { ask }),
      ...(ticket && { ticket }),
      ...(waited !== undefined && { waited }),
      ...(hello.resume && { resume: hello.resume }),
      ...(hello.idleMs !== undefined && { idleMs: hello.idleMs }),
      ...(trace && { trace: trace.parent }),
    });
  } catch (error) {
    if (error instanceof StoreUnavailable) {
      metrics.claims.inc({ outcome: 'store_unavailable' });
      lifecycle.claimFailed(session, error.cause);
    } else lifecycle.drop(session);
    throw error;
  } finally {
    metrics.claimSeconds.observe((clock() - sentMs) / 1000);
  }
}

/** What a claim came to, for its trace. */
function factsOf({ org, sessionId, epoch }: Session, answer: Granted | Refused): TraceFacts {
  const outcome = outcomeOf(answer);
  if (answer.outcome === 'granted')
    return { outcome, org, sessionId, epoch, displacedSessionId: answer.displaced?.sessionId };
  return { outcome, org, ...(answer.outcome === 'denied' && { reason: answer.reason }) };
}

function outcomeOf(answer: Granted | Refused): (Granted | Refused)['outcome'] | 'resumed' | 'joined' {
  if (answer.outcome !== 'granted') return answer.outcome;
  if (answer.resumed) return 'resumed';
  return answer.isShared ? 'joined' : 'granted';
}

/** Shows a program that asks by a nonce that this is the broker whose key it knows [broker-ticket-nonce]. */
function ticketFor(
  { nonce }: HelloMessage,
  session: Session,
  { nowMs }: Granted,
  { tickets, renewals }: AdmissionParts,
): { readonly ticket?: string } {
  if (nonce === undefined) return {};
  const expiresAtMs = nowMs + renewals.leftMs(session);
  const ticket = tickets.sign({ ...seatOf(session), issuedAtMs: nowMs, expiresAtMs, nonce });
  return ticket === null ? {} : { ticket };
}

function seatOf({ org, user, machineId, sessionId, epoch }: Session) {
  return { org, user, machineId, sessionId, epoch };
}

function welcome(
  { link, hello, claims, trace }: KnownVisit,
  parts: AdmissionParts,
  { session, answer }: Claimed<Granted>,
): void {
  const { displaced, license, resumed, isShared, idleLimitMs, nowMs: at } = answer;
  const { org, user, sessionId, epoch } = session;
  const { lifecycle, renewals, tokenWatch, idleWatch, renewEveryMs } = parts;
  if (displaced !== null) {
    const { machine: _, nodeId: _node, ...grant } = displaced;
    const notice = { type: 'ended', org, user, ...grant, by: hello.machine, at, byEpoch: epoch } as const;
    lifecycle.receive({ ...notice, trace: null }, 'local', trace);
  }
  if (lifecycle.endedEarly(session) || link.isEnded) return;
  renewals.track(session);
  tokenWatch.watch(session, claims.expiresAtMs);
  const name = displaced?.machine.name;
  link.send({
    type: 'welcome',
    sessionId,
    epoch,
    resumed,
    ...(isShared && { shared: true }),
    ttlMs: renewals.leftMs(session),
    renewEveryMs,
    license,
    ...(displaced?.reason === 'taken_over' && { displaced: { machine: name === undefined ? {} : { name } } }),
    ...(idleLimitMs !== null && { idle: idleTerms(idleLimitMs) }),
    ...ticketFor(hello, session, answer, parts),
  });
  lifecycle.welcomed(session, answer);
  if (hello.idleMs !== undefined) idleWatch.watch(session, hello.idleMs, idleLimitMs);
  parts.questions.welcomed(session, answer.question);
}
