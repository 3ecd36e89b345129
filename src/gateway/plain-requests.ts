import type { IncomingMessage, ServerResponse } from 'node:http';
import { CONNECT_PATH } from '#client/protocol/messages.js';
import type { Tickets } from '../auth/tickets.js';
import { answerRefusal, corsHeaders, type SeatQueryParts, send, serveSeatQuery } from './seat-query.js';
import {
  allowedOrigin,
  checkHeaderCount,
  checkHost,
  checkNoTokenInUrl,
  pathOf,
  type Refusal,
} from './upgrade.js';

export interface PlainRequestParts extends SeatQueryParts {
  readonly tickets: Pick<Tickets, 'publicKeys'>;
}

type Serve = (
  request: IncomingMessage,
  response: ServerResponse,
  parts: PlainRequestParts,
  tooMany: Refusal | null,
) => Promise<void>;

/** What is answered on the public port without a WebSocket, each by GET and HEAD, and for pages of allowed origins. */
const served: Readonly<Record<string, Serve>> = {
  '/v1/session': serveSeatQuery,
  '/v1/keys': serveKeys,
};

/** Whether the path is one that is answered here. */
export function isPlain(request: IncomingMessage): boolean {
  return Object.hasOwn(served, pathOf(request) ?? '');
}

/** Null for a request that is answered here; else why it is not. */
export function judgePlainRequest(request: IncomingMessage): Refusal | null {
  const malformed = checkHeaderCount(request) ?? checkHost(request) ?? checkNoTokenInUrl(request);
  if (malformed !== null) return malformed;
  const isServed = isPlain(request);
  if (!isServed && pathOf(request) !== CONNECT_PATH)
    return { status: 404, message: `connect to ${CONNECT_PATH}` };
  // A browser asks first, whether a page may send its token.
  if (isServed && request.method === 'OPTIONS') return null;
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, message: 'use GET', headers: { Allow: isServed ? 'GET, HEAD' : 'GET' } };
  if (isServed) return null;
  return { status: 426, message: 'connect with a WebSocket', headers: { Upgrade: 'websocket' } };
}

/** Never rejects. `tooMany`: why the address gets no answer at present. */
export function servePlainRequest(...[request, response, parts, tooMany]: Parameters<Serve>): void {
  void served[pathOf(request) ?? '']?.(request, response, parts, tooMany);
}

/** `GET /v1/keys`: the public keys of the tickets, for everybody. */
async function serveKeys(
  ...[request, response, { rules, tickets }, tooMany]: Parameters<Serve>
): Promise<void> {
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
