import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Machine } from '#client/protocol/messages.js';
import { bearerToken } from '../auth/bearer.js';
import type { ClientClaims } from '../auth/claims.js';
import type { Log } from '../base/log.js';
import { OnLeave, StoreUnavailable } from '../store/errors.js';
import { allowedOrigin, type Refusal, retryAfterSeconds, type UpgradeRules } from './upgrade.js';

/** Who has a user's seat, as the user may know it. */
export interface Holder {
  readonly sessionId: string;
  readonly epoch: number;
  readonly machine: Machine;
  /** Unix ms. */
  readonly sinceMs: number;
}

/** A machine on which the user got a seat; times in Unix ms. */
export interface OwnMachine {
  readonly machine: Machine;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly times: number;
}

export interface OwnSeatParts {
  readonly rules: UpgradeRules;
  readonly log: Log;
  /** By which name the org knows the user. */
  readonly knownAs: (claims: ClientClaims) => Promise<string>;
  readonly holderOf: (claims: ClientClaims) => Promise<Holder | null>;
  readonly machinesOf: (claims: ClientClaims) => Promise<readonly OwnMachine[]>;
  /** Ends this session of the user, and no other. */
  readonly signOut: (claims: ClientClaims, holder: Holder) => Promise<boolean>;
  /** Whether nobody has revoked the token. */
  readonly isStanding: (claims: ClientClaims) => Promise<boolean>;
}

/** What a user may ask about their own seat, or do to it, with their own token. */
interface OwnQuestion {
  readonly method: 'GET' | 'POST';
  /** Gives the body of the answer, or why there is none. */
  readonly answer: (
    claims: ClientClaims,
    parts: OwnSeatParts,
    asked: unknown,
  ) => Promise<object | OwnProblem>;
}

class OwnProblem {
  constructor(
    readonly status: number,
    readonly title: string,
  ) {}
}

/** Names of machines, never their ids: with one, another machine could pose as it. No epochs either. */
export const ownQuestions = {
  '/v1/session': {
    method: 'GET',
    answer: async (claims, { holderOf }) => ({ holder: shown(await holderOf(claims)) }),
  },
  '/v1/machines': {
    method: 'GET',
    answer: async (claims, { holderOf, machinesOf }) => {
      const [holder, machines] = await Promise.all([holderOf(claims), machinesOf(claims)]);
      return { machines: machines.map((one) => shownMachine(one, holder)) };
    },
  },
  '/v1/session/evict': {
    method: 'POST',
    answer: async (claims, { holderOf, signOut }, asked) => {
      const sessionId = sessionIdIn(asked);
      if (sessionId instanceof OwnProblem) return sessionId;
      const holder = await holderOf(claims);
      const isMeant = holder !== null && (sessionId === undefined || sessionId === holder.sessionId);
      const isOut = isMeant && (await signOut(claims, holder));
      return { evicted: isOut ? { sessionId: holder.sessionId } : null };
    },
  },
} as const satisfies Record<string, OwnQuestion>;

interface SeatAnswer {
  readonly status: number;
  readonly body: object;
  readonly headers: Readonly<Record<string, string>>;
  /** What is wrong with the data, for the log. */
  readonly defect?: unknown;
}

/** More than any question needs. */
const MAX_BODY_BYTES = 4096;

/**
 * Answers a user's own question, also for a page of an allowed origin, whose browser may ask beforehand. Never rejects.
 * `tooMany`: why the address gets no answer at present.
 */
export async function serveOwnQuestion(
  question: OwnQuestion,
  request: IncomingMessage,
  response: ServerResponse,
  parts: OwnSeatParts,
  tooMany: Refusal | null,
): Promise<void> {
  const cors = corsHeaders(allowedOrigin(request, parts.rules));
  if (tooMany !== null) {
    answerRefusal(response, tooMany, cors);
    return;
  }
  if (request.method === 'OPTIONS') {
    response.writeHead(204, { ...cors, ...preflightHeaders(question) }).end();
    return;
  }
  const answer = await answerTo(question, request, parts);
  if (answer.defect !== undefined) parts.log.error({ reason: String(answer.defect) }, 'seat not looked up');
  const common = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };
  send(response, answer.status, { ...common, ...cors, ...answer.headers }, JSON.stringify(answer.body));
}

/** Says why a plain request is not served. */
export function answerRefusal(
  response: ServerResponse,
  { status, message, headers }: Refusal,
  more: Readonly<Record<string, string>>,
): void {
  send(response, status, { ...headers, ...more, 'Content-Type': 'text/plain' }, `${message}\n`);
}

/** The length is told, so that HEAD has the same headers as GET; Node keeps the text of its answer back. */
export function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  text: string,
): void {
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(text) }).end(text);
}

/**
 * What lets a page of an allowed origin read the answer (Fetch, "CORS protocol"). Nothing for others: their browsers keep it from
 * them.
 */
export function corsHeaders(origin: string | undefined): Readonly<Record<string, string>> {
  const varies = { Vary: 'Origin' };
  return origin === undefined ? varies : { ...varies, 'Access-Control-Allow-Origin': origin };
}

/** The answer to the question that a browser asks before it sends a token. */
const preflightHeaders = ({ method }: OwnQuestion) => ({
  'Access-Control-Allow-Methods': method,
  'Access-Control-Allow-Headers': method === 'GET' ? 'Authorization' : 'Authorization, Content-Type',
  'Access-Control-Max-Age': '600',
});

async function answerTo(
  question: OwnQuestion,
  request: IncomingMessage,
  parts: OwnSeatParts,
): Promise<SeatAnswer> {
  const token = bearerToken(request.headersDistinct.authorization);
  const verdict = parts.rules.gate.judge(token, 'session query');
  if (!verdict.ok && verdict.retryAfterMs !== undefined) {
    const retry = { 'Retry-After': retryAfterSeconds(verdict.retryAfterMs) };
    return problem(503, 'the token is not accepted yet', retry);
  }
  const refused = () => problem(401, 'the token is not accepted', { 'WWW-Authenticate': 'Bearer' });
  if (!verdict.ok) return refused();
  try {
    const claims = { ...verdict.claims, user: await parts.knownAs(verdict.claims) };
    if (!(await parts.isStanding(claims))) return refused();
    const asked = question.method === 'POST' ? await bodyOf(request) : undefined;
    const body = asked instanceof OwnProblem ? asked : await question.answer(claims, parts, asked);
    if (body instanceof OwnProblem) return problem(body.status, body.title, {});
    return { status: 200, headers: { 'Content-Type': 'application/json' }, body };
  } catch (error) {
    if (error instanceof OnLeave)
      return problem(409, 'the seat is taken along, and its machine cannot be told', {});
    if (error instanceof StoreUnavailable)
      return problem(503, 'the seat cannot be looked up at present', { 'Retry-After': '2' });
    return { ...problem(500, 'the seat cannot be looked up', {}), defect: error };
  }
}

/** JSON; an empty body asks for nothing in particular. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > MAX_BODY_BYTES) return new OwnProblem(413, 'the body is too large');
      parts.push(part);
    }
    const text = Buffer.concat(parts).toString('utf8');
    return text.trim() === '' ? {} : (JSON.parse(text) as unknown);
  } catch {
    return new OwnProblem(400, 'the body is not JSON');
  }
}

/** Undefined where the question names no session: then whichever has the seat is meant. */
function sessionIdIn(asked: unknown): string | undefined | OwnProblem {
  const isObject = typeof asked === 'object' && asked !== null && !Array.isArray(asked);
  const { sessionId } = (isObject ? asked : {}) as { readonly sessionId?: unknown };
  if (sessionId === undefined || sessionId === null)
    return isObject ? undefined : new OwnProblem(422, 'the body must be an object');
  return typeof sessionId === 'string' ? sessionId : new OwnProblem(422, 'sessionId must be a text');
}

function shown(holder: Holder | null) {
  if (holder === null) return null;
  const { sessionId, machine, sinceMs } = holder;
  return { sessionId, machine: nameOf(machine), since: timeText(sinceMs) };
}

function shownMachine({ machine, firstSeen, lastSeen, times }: OwnMachine, holder: Holder | null) {
  const seen = { firstSeen: timeText(firstSeen), lastSeen: timeText(lastSeen), times };
  return { ...nameOf(machine), ...seen, hasSeat: holder?.machine.id === machine.id };
}

function nameOf({ name }: Machine) {
  return name === undefined ? {} : { name };
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

function problem(status: number, title: string, headers: Readonly<Record<string, string>>): SeatAnswer {
  return {
    status,
    body: { status, title },
    headers: { 'Content-Type': 'application/problem+json', ...headers },
  };
}
