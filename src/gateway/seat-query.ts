import type { IncomingMessage } from 'node:http';
import { bearerToken } from '../auth/bearer.js';
import type { TokenGate } from '../auth/gate.js';
import type { ClientClaims } from '../auth/tokens.js';
import type { Machine } from '../protocol/messages.js';
import { StoreUnavailable } from '../store/errors.js';
import { retryAfterSeconds } from './upgrade.js';

export const SESSION_PATH = '/v1/session';

/** Who has a user's seat, as the user may know it. */
export interface Holder {
  readonly sessionId: string;
  readonly machine: Machine;
  /** Unix ms. */
  readonly sinceMs: number;
}

export interface SeatQueryParts {
  readonly gate: TokenGate<ClientClaims>;
  readonly holderOf: (org: string, user: string) => Promise<Holder | null>;
}

export interface SeatAnswer {
  readonly status: number;
  readonly body: object;
  readonly headers: Readonly<Record<string, string>>;
  /** What is wrong with the data, for the log. */
  readonly defect?: unknown;
}

/** `GET /v1/session`: who holds my seat, by the user's own token. Never rejects. */
export async function answerSeatQuery(request: IncomingMessage, parts: SeatQueryParts): Promise<SeatAnswer> {
  const token = bearerToken(request.headersDistinct.authorization);
  const verdict = parts.gate.judge(token, 'session query');
  if (!verdict.ok && verdict.retryAfterMs !== undefined) {
    const retry = { 'Retry-After': retryAfterSeconds(verdict.retryAfterMs) };
    return problem(503, 'the token is not accepted yet', retry);
  }
  if (!verdict.ok) return problem(401, 'the token is not accepted', { 'WWW-Authenticate': 'Bearer' });
  const { org, user } = verdict.claims;
  try {
    const holder = await parts.holderOf(org, user);
    return { status: 200, headers: { 'Content-Type': 'application/json' }, body: { holder: shown(holder) } };
  } catch (error) {
    if (error instanceof StoreUnavailable)
      return problem(503, 'the seat cannot be looked up at present', { 'Retry-After': '2' });
    return { ...problem(500, 'the seat cannot be looked up', {}), defect: error };
  }
}

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
