import type { CloseReason } from '#client/protocol/close-codes.js';
import type { ConflictPolicy, ErrorMessage, HelloMessage } from '#client/protocol/messages.js';
import type { GateDenial, TokenGate } from '../auth/gate.js';
import type { ClientClaims } from '../auth/tokens.js';
import type { Clock } from '../base/clock.js';
import type { Metrics } from '../base/metrics.js';
import type { Trace, TraceFacts } from '../base/tracing.js';
import type { WallClock } from '../base/wall-clock.js';
import { StoreUnavailable } from '../store/errors.js';
import type { ClaimAnswer } from '../store/lease-types.js';
import type { Leases } from '../store/leases.js';
import type { Licenses } from '../store/licenses.js';
import type { Evictions } from './evictions.js';
import type { Link } from './link.js';
import type { Registry } from './registry.js';
import type { Renewals } from './renewals.js';
import { Session } from './session.js';
import type { Story } from './story.js';
import type { TokenWatch } from './tokens-watch.js';

export interface AdmissionParts {
  readonly gate: Pick<TokenGate<ClientClaims>, 'judge'>;
  readonly leases: Pick<Leases, 'claim'>;
  readonly licenses: Pick<Licenses, 'lookAlike'>;
  readonly registry: Registry;
  readonly evictions: Evictions;
  readonly renewals: Renewals;
  readonly tokenWatch: TokenWatch;
  readonly clock: Clock;
  readonly wallMs: WallClock;
  readonly newSessionId: () => string;
  readonly story: Story;
  readonly metrics: Metrics;
  readonly renewEveryMs: number;
}

type AdmissionAnswer = Exclude<ClaimAnswer, { outcome: 'spelled' }>;

/** One attempt to get in: what the steps hand on to each other. */
export interface Visit {
  readonly link: Link;
  readonly hello: HelloMessage;
  readonly onConflict: ConflictPolicy;
  /** Whether the connection has closed meanwhile. */
  readonly isGone: () => boolean;
  claims: ClientClaims | null;
  /** By which name the org knows the user, where it is another one than the token has. */
  knownAs?: string;
  session: Session | null;
  answer: AdmissionAnswer | null;
  /** Null while tracing is off. */
  readonly trace: Trace | null;
}

type Step = (visit: Visit, parts: AdmissionParts) => Promise<boolean> | boolean;

/** The steps of admission, in order; each says whether to go on (promise 10). */
const admission: readonly Step[] = [authenticate, checkMachine, reserve, claim, welcome];

/** Those that take time. */
const tracedSteps: ReadonlySet<Step> = new Set([claim, welcome]);

/** Lets a visitor in, or tells why not. Gives the session when it was welcomed. */
export async function admit(visit: Visit, parts: AdmissionParts): Promise<Session | null> {
  for (const step of admission) {
    const span = visit.trace !== null && tracedSteps.has(step) ? visit.trace.step(step.name) : null;
    const outcome = step(visit, parts);
    const goesOn = typeof outcome === 'boolean' ? outcome : await outcome;
    span?.end();
    if (!goesOn) return null;
  }
  return visit.session;
}

function authenticate(visit: Visit, { gate, wallMs }: AdmissionParts): boolean {
  if (visit.claims !== null) {
    // It was good when the connection began, which may be long ago.
    if (visit.claims.expiresAtMs > wallMs()) return true;
    visit.link.end('token_expired');
    return false;
  }
  const verdict = gate.judge(visit.hello.token, 'hello');
  if (verdict.ok) {
    visit.claims = verdict.claims;
    return true;
  }
  const notYet = notYetAccepted(verdict);
  if (notYet !== null) visit.link.end('token_not_yet_accepted', notYet);
  else visit.link.end(verdict.reason === 'expired' ? 'token_expired' : 'unauthorized');
  return false;
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

function checkMachine(visit: Visit): boolean {
  // Which kinds an org allows is looked at in the claim; what only a later version understands, here.
  if (visit.onConflict !== 'ask') return true;
  visit.link.send({
    type: 'error',
    code: 'unsupported',
    message: 'onConflict "ask" is not supported yet; use takeover or deny',
  });
  return false;
}

/** Before the claim: an early notice must find somebody. */
function reserve(visit: Visit, { registry, newSessionId }: AdmissionParts): boolean {
  if (visit.claims === null) return false;
  const { org, user } = { ...visit.claims, ...(visit.knownAs && { user: visit.knownAs }) };
  const { machine, instance, attempt, client } = visit.hello;
  const program = {
    ...(instance !== undefined && { instance }),
    ...(attempt !== undefined && { attempt }),
    ...(client && { client }),
    address: visit.link.address,
  };
  visit.session = new Session({ org, user, sessionId: newSessionId(), machine, ...program }, visit.link);
  registry.add(visit.session);
  return true;
}

async function claim(visit: Visit, parts: AdmissionParts): Promise<boolean> {
  const { session, hello } = visit;
  if (session === null) return false;
  const sentMs = parts.clock();
  try {
    const answer = await parts.leases.claim({
      ...session.lease(),
      requestId: session.connection,
      licenseId: session.sessionId,
      machine: hello.machine,
      onConflict: visit.onConflict,
      ...(hello.resume && { resume: hello.resume }),
      ...(visit.trace && { trace: visit.trace.parent }),
    });
    if (answer.outcome === 'spelled') {
      drop(session, parts);
      visit.knownAs = answer.user;
      return reserve(visit, parts) && (await claim(visit, parts));
    }
    visit.answer = answer;
    parts.metrics.claims.inc({ outcome: outcomeOf(answer) });
    if (answer.outcome !== 'granted') return refuse(visit, parts, answer);
    const deadlineMs = parts.renewals.deadlineFrom(sentMs);
    session.grant(answer, deadlineMs);
    if (answer.isAhead) {
      parts.metrics.lostGrants.inc();
      parts.story.lostGrantShown(session);
    }
    return true;
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    parts.metrics.claims.inc({ outcome: 'store_unavailable' });
    parts.story.claimFailed(session, error.cause);
    drop(session, parts);
    visit.link.end('store_unavailable', {
      type: 'error',
      code: 'store_unavailable',
      message: error.isFull
        ? 'Redis is out of memory: sessions go on, new ones cannot be had'
        : 'no seat can be granted at present',
      retryAfterMs: 2000,
    });
    return false;
  } finally {
    parts.metrics.claimSeconds.observe((parts.clock() - sentMs) / 1000);
  }
}

/** What a visit came to, for its trace. */
export function factsOf({ session, answer }: Visit): TraceFacts {
  const { org, sessionId, epoch } = session ?? {};
  const outcome = answer === null ? 'refused' : outcomeOf(answer);
  if (answer?.outcome !== 'granted')
    return { outcome, org, ...(answer?.outcome === 'denied' && { reason: answer.reason }) };
  return { outcome, org, sessionId, epoch, displacedSessionId: answer.displaced?.sessionId };
}

function outcomeOf(answer: AdmissionAnswer): AdmissionAnswer['outcome'] | 'resumed' {
  return answer.outcome === 'granted' && answer.resumed ? 'resumed' : answer.outcome;
}

async function refuse(
  visit: Visit,
  parts: AdmissionParts,
  answer: Exclude<AdmissionAnswer, { outcome: 'granted' }>,
): Promise<false> {
  if (visit.session !== null) {
    parts.story.refused(visit.session, answer);
    drop(visit.session, parts);
  }
  switch (answer.outcome) {
    case 'conflict':
      visit.link.send({ type: 'conflict', holder: answer.holder });
      break;
    case 'stale':
      // [broker-stale-attempt]
      visit.link.end('stale_attempt');
      break;
    case 'denied':
      parts.metrics.denials.inc({ reason: answer.reason });
      visit.link.end(answer.reason, await hintAt(visit, parts, answer.reason));
      break;
    case 'flapping':
      visit.link.end('flapping', {
        type: 'error',
        code: 'flapping',
        message: 'two machines are fighting over the seat',
        retryAfterMs: answer.retryAfterMs,
      });
      break;
    case 'rate_limited':
      visit.link.end('rate_limited', {
        type: 'error',
        code: 'rate_limited',
        message: 'too many claims of this user',
        retryAfterMs: answer.retryAfterMs,
      });
      break;
  }
  return false;
}

/** A license that was issued under another spelling of the name: the person at the desk can mend that. */
async function hintAt(
  { claims }: Visit,
  { licenses }: AdmissionParts,
  reason: CloseReason,
): Promise<ErrorMessage | undefined> {
  if (reason !== 'license_required' || claims === null) return undefined;
  const other = await licenses.lookAlike(claims.org, claims.user).catch(() => null);
  if (other === null) return undefined;
  const message = `${claims.user} has no license in this org; a license for ${other} exists`;
  return { type: 'error', code: 'license_required', message };
}

function welcome(visit: Visit, parts: AdmissionParts): boolean {
  const { session, answer } = visit;
  if (session === null || answer?.outcome !== 'granted') return false;
  const { displaced, license, resumed, nowMs } = answer;
  const { org, user, sessionId, epoch } = session;
  if (displaced !== null) {
    parts.evictions.receive(
      {
        type: 'ended',
        org,
        user,
        sessionId: displaced.sessionId,
        epoch: displaced.epoch,
        connection: displaced.connection,
        reason: displaced.reason,
        by: visit.hello.machine,
        at: nowMs,
        byEpoch: epoch,
        trace: null,
      },
      'local',
      visit.trace,
    );
  }
  if (parts.evictions.endedEarly(session)) return false;
  if (visit.isGone()) {
    // As after any lost connection, the lease stays for its TTL, so that the same machine can come back to it.
    drop(session, parts);
    return false;
  }
  parts.renewals.track(session);
  if (visit.claims !== null) parts.tokenWatch.watch(session, visit.claims.expiresAtMs);
  const name = displaced?.machine.name;
  visit.link.send({
    type: 'welcome',
    sessionId,
    epoch,
    resumed,
    ttlMs: parts.renewals.leftMs(session),
    renewEveryMs: parts.renewEveryMs,
    license,
    ...(displaced?.reason === 'taken_over' && { displaced: { machine: name === undefined ? {} : { name } } }),
  });
  parts.story.granted(session, answer);
  return true;
}

function drop(session: Session, { registry }: AdmissionParts): void {
  session.markEnded();
  registry.remove(session);
}
