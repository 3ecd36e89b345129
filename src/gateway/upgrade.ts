import type { IncomingMessage } from 'node:http';
import { CONNECT_PATH, SUBPROTOCOL, TOKEN_SUBPROTOCOL_PREFIX } from '#client/protocol/messages.js';
import { bearerToken } from '../auth/bearer.js';
import type { TokenGate } from '../auth/gate.js';
import type { ClientClaims } from '../auth/tokens.js';
import { hostFault } from '../base/host.js';
import { isOriginAmong } from '../base/origin.js';
import { hasTokenInUrl } from './token-in-url.js';

/** A handshake that is not let through, as an HTTP answer. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 405 | 408 | 426 | 429 | 431 | 503;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What stood in the way of a handshake, whatever it was like, for the metric. */
  readonly limit?: 'address' | 'address_rate' | 'strangers' | 'rate' | 'draining' | 'store';
}

export interface UpgradeRules {
  readonly origins: readonly string[];
  readonly gate: TokenGate<ClientClaims>;
}

export type UpgradeVerdict =
  | { readonly ok: true; readonly claims: ClientClaims | null }
  | {
      readonly ok: false;
      readonly refusal: Refusal;
      /** Whether it was the token that is not accepted, and nothing else. */
      readonly isStranger?: true;
    };

const MAX_HEADERS = 100;
/** Sixteen bytes in canonical base64 (RFC 6455 section 4.1). */
const keyForm = /^[A-Za-z0-9+/]{21}[AQgw]==$/;
/** A token of RFC 7230 section 3.2.6. */
const subprotocolForm = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

type Check = (request: IncomingMessage, rules: UpgradeRules) => Refusal | null;

/** What a handshake must be, in order. ws alone would let much of this through. */
const checks: readonly Check[] = [
  checkHeaderCount,
  checkPath,
  checkMethod,
  checkNoTokenInUrl,
  checkHost,
  checkHttp,
  checkVersion,
  checkKey,
  checkOrigin,
  checkSubprotocols,
];

/** Judges a handshake and, where it brings a token, the token. Does no I/O. */
export function judgeUpgrade(request: IncomingMessage, rules: UpgradeRules): UpgradeVerdict {
  for (const check of checks) {
    const refusal = check(request, rules);
    if (refusal !== null) return { ok: false, refusal };
  }
  const token = handshakeBearer(request) ?? subprotocolToken(request);
  if (token === null) return { ok: true, claims: null };
  const verdict = rules.gate.judge(token, 'handshake');
  if (verdict.ok) return { ok: true, claims: verdict.claims };
  if (verdict.retryAfterMs !== undefined) {
    const retry = { 'Retry-After': retryAfterSeconds(verdict.retryAfterMs) };
    return {
      ok: false,
      refusal: { status: 503, message: 'the token is not accepted yet', headers: retry },
      isStranger: true,
    };
  }
  const headers = { 'WWW-Authenticate': 'Bearer' };
  return {
    ok: false,
    refusal: { status: 401, message: 'the token is not accepted', headers },
    isStranger: true,
  };
}

/** Rounded up: a client that came a moment early would come in vain (RFC 9110 section 10.2.3). */
export function retryAfterSeconds(ms: number): string {
  return String(Math.max(1, Math.ceil(ms / 1000)));
}

/** The path of a request's target, without its query; null where it is not a path. */
export function pathOf(request: IncomingMessage): string | null {
  const target = request.url ?? '';
  if (!target.startsWith('/')) return null;
  const end = target.indexOf('?');
  return end < 0 ? target : target.slice(0, end);
}

export function checkHeaderCount(request: IncomingMessage): Refusal | null {
  return request.rawHeaders.length / 2 > MAX_HEADERS ? { status: 431, message: 'too many headers' } : null;
}

function checkPath(request: IncomingMessage): Refusal | null {
  return pathOf(request) === CONNECT_PATH ? null : { status: 404, message: `connect to ${CONNECT_PATH}` };
}

function checkMethod(request: IncomingMessage): Refusal | null {
  if (request.method === 'GET') return null;
  return { status: 405, message: 'use GET', headers: { Allow: 'GET' } };
}

/** URLs end in logs and histories: a token there is refused, and named nowhere. [broker-token-in-url] */
export function checkNoTokenInUrl({ url = '' }: IncomingMessage): Refusal | null {
  return hasTokenInUrl(url)
    ? { status: 400, message: 'a token must not be in the URL; use the Authorization header' }
    : null;
}

export function checkHost({ rawHeaders }: IncomingMessage): Refusal | null {
  const message = hostFault(rawHeaders);
  return message === null ? null : { status: 400, message };
}

function checkHttp(request: IncomingMessage): Refusal | null {
  const { headers, httpVersion } = request;
  if (httpVersion !== '1.1') return { status: 400, message: 'HTTP/1.1 is needed' };
  if (!headers.host) return { status: 400, message: 'Host is missing' };
  if (!upgradesTo(headers.upgrade ?? '', 'websocket'))
    return { status: 400, message: 'Upgrade must be websocket' };
  // The JDK's WebSocket says that it sends no body; Node refuses a length that is no number, or named twice.
  const hasBody = headers['content-length'] !== undefined && headers['content-length'] !== '0';
  if (hasBody || headers['transfer-encoding'] !== undefined)
    return { status: 400, message: 'a handshake has no body' };
  return null;
}

/** A client may offer more than one protocol (RFC 6455 section 4.2.1: a field "containing" websocket). */
function upgradesTo(header: string, protocol: string): boolean {
  return (
    header.toLowerCase() === protocol ||
    header.split(',').some((offered) => offered.trim().toLowerCase() === protocol)
  );
}

function checkVersion(request: IncomingMessage): Refusal | null {
  if (request.headers['sec-websocket-version'] === '13') return null;
  return {
    status: 426,
    message: 'WebSocket version 13 is needed',
    headers: { 'Sec-WebSocket-Version': '13' },
  };
}

function checkKey(request: IncomingMessage): Refusal | null {
  return keyForm.test(request.headers['sec-websocket-key'] ?? '')
    ? null
    : { status: 400, message: 'Sec-WebSocket-Key is not valid' };
}

/** Programs send no Origin; a browser's must be on the list, or the broker's own host. */
function checkOrigin(request: IncomingMessage, rules: UpgradeRules): Refusal | null {
  const { origin } = request.headers;
  if (origin === undefined || allowedOrigin(request, rules) !== undefined) return null;
  return { status: 403, message: 'this Origin is not allowed: SOLESEAT_ORIGINS lists those that are' };
}

/** The Origin of a request, where it is on the list or the broker's own. */
export function allowedOrigin({ headers }: IncomingMessage, rules: UpgradeRules): string | undefined {
  const { origin, host } = headers;
  const isAllowed = origin !== undefined && (isOriginAmong(rules.origins, origin) || isOwnHost(origin, host));
  return isAllowed ? origin : undefined;
}

/** A page of the broker's own host; whether TLS ends before the broker is not known here, so the scheme does not count. */
function isOwnHost(origin: string, host = ''): boolean {
  return (
    /^https?:\/\//i.test(origin) &&
    origin.slice(origin.indexOf('//') + 2).toLowerCase() === host.toLowerCase()
  );
}

function checkSubprotocols(request: IncomingMessage): Refusal | null {
  const header = request.headers['sec-websocket-protocol'];
  if (header === undefined) return { status: 400, message: `offer the subprotocol ${SUBPROTOCOL}` };
  // What programs send: nothing to take apart.
  if (header === SUBPROTOCOL) return null;
  const offered = header.split(',').map((one) => one.trim());
  if (!offered.every((one) => subprotocolForm.test(one)) || new Set(offered).size !== offered.length) {
    return { status: 400, message: 'the subprotocol list is malformed' };
  }
  return offered.includes(SUBPROTOCOL)
    ? null
    : { status: 400, message: `offer the subprotocol ${SUBPROTOCOL}` };
}

/** Taken apart only where there is a header: most programs send their token in `hello`. */
function handshakeBearer(request: IncomingMessage): string | null {
  return request.headers.authorization === undefined
    ? null
    : bearerToken(request.headersDistinct.authorization);
}

function subprotocolToken(request: IncomingMessage): string | null {
  const header = request.headers['sec-websocket-protocol'];
  if (!header?.includes(TOKEN_SUBPROTOCOL_PREFIX)) return null;
  const offered = header.split(',');
  const token = offered.map((one) => one.trim()).find((one) => one.startsWith(TOKEN_SUBPROTOCOL_PREFIX));
  return token?.slice(TOKEN_SUBPROTOCOL_PREFIX.length) ?? null;
}
