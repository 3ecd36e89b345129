import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Machine } from '#client/protocol/messages.js';
import { bearerToken } from '../auth/bearer.js';
import type { ClientClaims } from '../auth/claims.js';
import type { Log } from '../base/log.js';
import { StoreUnavailable } from '../store/errors.js';
import { allowedOrigin, type Refusal, retryAfterSeconds, type UpgradeRules } from './upgrade.js';

/** Who has a user's seat, as the user may know it. */
export interface Holder {
  readonly sessionId: string;
  readonly machine: Machine;
  /** Unix ms. */
  readonly sinceMs: number;
}

export interface SeatQueryParts {
  readonly rules: UpgradeRules;
  readonly log: Log;
  readonly holderOf: (org: string, user: string) => Promise<Holder | null>;
  /** Whether nobody has revoked the token. */
  readonly isStanding: (claims: ClientClaims) => Promise<boolean>;
}

interface SeatAnswer {
  readonly status: number;
  readonly body: object;
  readonly headers: Readonly<Record<string, string>>;
  /** What is wrong with the data, for the log. */
  readonly defect?: unknown;
}

/**
 * `GET /v1/session`: who holds my seat, by the user's own token; also for a page of an allowed origin, whose browser may ask
 * beforehand. Never rejects. `tooMany`: why the address gets no answer at present.
 */
export async function serveSeatQuery(
  request: IncomingMessage,
  response: ServerResponse,
  parts: SeatQueryParts,
  tooMany: Refusal | null,
): Promise<void> {
  const cors = corsHeaders(allowedOrigin(request, parts.rules));
  if (tooMany !== null) {
    answerRefusal(response, tooMany, cors);
    return;
  }
  if (request.method === 'OPTIONS') {
    response.writeHead(204, { ...cors, ...preflightHeaders }).end();
    return;
  }
  const answer = await answerSeatQuery(request, parts);
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

async function answerSeatQuery(request: IncomingMessage, parts: SeatQueryParts): Promise<SeatAnswer> {
  const token = bearerToken(request.headersDistinct.authorization);
  const verdict = parts.rules.gate.judge(token, 'session query');
  if (!verdict.ok && verdict.retryAfterMs !== undefined) {
    const retry = { 'Retry-After': retryAfterSeconds(verdict.retryAfterMs) };
    return problem(503, 'the token is not accepted yet', retry);
  }
  const refused = () => problem(401, 'the token is not accepted', { 'WWW-Authenticate': 'Bearer' });
  if (!verdict.ok) return refused();
  const { org, user } = verdict.claims;
  try {
    if (!(await parts.isStanding(verdict.claims))) return refused();
    const holder = await parts.holderOf(org, user);
    return { status: 200, headers: { 'Content-Type': 'application/json' }, body: { holder: shown(holder) } };
  } catch (error) {
    if (error instanceof StoreUnavailable)
      return problem(503, 'the seat cannot be looked up at present', { 'Retry-After': '2' });
    return { ...problem(500, 'the seat cannot be looked up', {}), defect: error };
  }
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
const preflightHeaders = {
  'Access-Control-Allow-Methods': 'GET',
  'Access-Control-Allow-Headers': 'Authorization',
  'Access-Control-Max-Age': '600',
};

/** No id of a machine and no epoch: they are for those who hold them. */
function shown(holder: Holder | null) {
  if (holder === null) return null;
  const { sessionId, machine, sinceMs } = holder;
  const name = machine.name === undefined ? {} : { name: machine.name };
  return { sessionId, machine: name, since: new Date(sinceMs).toISOString() };
}

function problem(status: number, title: string, headers: Readonly<Record<string, string>>): SeatAnswer {
  return {
    status,
    body: { status, title },
    headers: { 'Content-Type': 'application/problem+json', ...headers },
  };
}
