import type { IncomingMessage, ServerResponse } from 'node:http';
import { CONNECT_PATH } from '#client/protocol/messages.js';
import type { Tickets } from '../auth/tickets.js';
import { serveMe } from './me-page.js';
import {
  answerRefusal,
  corsHeaders,
  type OwnSeatParts,
  ownQuestions,
  send,
  serveOwnQuestion,
} from './own-seat.js';
import {
  allowedOrigin,
  checkHeaderCount,
  checkHost,
  checkNoTokenInUrl,
  pathOf,
  type Refusal,
} from './upgrade.js';

export interface PlainRequestParts extends OwnSeatParts {
  readonly tickets: Pick<Tickets, 'publicKeys'>;
}

type Serve = (
  request: IncomingMessage,
  response: ServerResponse,
  parts: PlainRequestParts,
  tooMany: Refusal | null,
) => Promise<void> | void;

interface Plain {
  readonly method: 'GET' | 'POST';
  readonly serve: Serve;
}

const questions = Object.entries(ownQuestions).map(([path, question]): [string, Plain] => [
  path,
  { method: question.method, serve: (...args) => serveOwnQuestion(question, ...args) },
]);

/** What is answered on the public port without a WebSocket. */
const plain: ReadonlyMap<string, Plain> = new Map([
  ...questions,
  ['/v1/keys', { method: 'GET', serve: serveKeys }],
  ...['/me', '/me/me.js', '/me/me.css'].map((path): [string, Plain] => [
    path,
    { method: 'GET', serve: serveMe },
  ]),
]);

const plainFor = (request: IncomingMessage) => plain.get(pathOf(request) ?? '');

/** Null for a request that is answered here; else why it is not. */
export function judgePlainRequest(request: IncomingMessage): Refusal | null {
  const malformed = checkHeaderCount(request) ?? checkHost(request) ?? checkNoTokenInUrl(request);
  if (malformed !== null) return malformed;
  const served = plainFor(request);
  if (served === undefined && pathOf(request) !== CONNECT_PATH)
    return { status: 404, message: `connect to ${CONNECT_PATH}` };
  const method = served?.method ?? 'GET';
  const isRight = request.method === method || (method === 'GET' && request.method === 'HEAD');
  // A browser asks first, whether a page may send its token.
  if (served !== undefined && (isRight || request.method === 'OPTIONS')) return null;
  if (!isRight) {
    const allow = served !== undefined && method === 'GET' ? 'GET, HEAD' : method;
    return { status: 405, message: `use ${method}`, headers: { Allow: allow } };
  }
  return { status: 426, message: 'connect with a WebSocket', headers: { Upgrade: 'websocket' } };
}

/** Never rejects. `tooMany`: why the address gets no answer at present. */
export function servePlainRequest(...[request, response, parts, tooMany]: Parameters<Serve>): void {
  void plainFor(request)?.serve(request, response, parts, tooMany);
}

/** `GET /v1/keys`: the public keys of the tickets, for everybody. */
function serveKeys(...[request, response, { rules, tickets }, tooMany]: Parameters<Serve>): void {
  const cors = corsHeaders(allowedOrigin(request, rules));
  if (tooMany !== null) answerRefusal(response, tooMany, cors);
  else if (request.method === 'OPTIONS') response.writeHead(204, cors).end();
  else {
    const headers = {
      'Content-Type': 'application/jwk-set+json',
      // A new key is shown before it signs, so that nobody has to ask each time.
      'Cache-Control': 'public, max-age=300',
      'X-Content-Type-Options': 'nosniff',
    };
    send(response, 200, { ...headers, ...cors }, JSON.stringify(tickets.publicKeys));
  }
}
