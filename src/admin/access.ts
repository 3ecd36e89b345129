import type { FastifyReply, FastifyRequest } from 'fastify';
import { bearerToken } from '../auth/bearer.js';
import type { TokenGate } from '../auth/gate.js';
import { type AdminClaims, type Role, roles } from '../auth/tokens.js';
import { addressOf as networkOf } from '../base/address.js';
import type { Log } from '../base/log.js';
import type { PeerAddress } from '../base/peer-address.js';
import { StoreUnavailable } from '../store/errors.js';
import type { Actor } from '../store/license-types.js';
import type { Store } from '../store/store.js';
import type { FailedLogIns } from './failed-log-ins.js';
import { refuseForeignWrite } from './own-names.js';
import { notFound, Problem } from './problem.js';
import type { Route } from './route.js';

const COOKIE = 'soleseat_admin';

export interface AccessParts {
  readonly gate: TokenGate<AdminClaims>;
  readonly failedLogIns: FailedLogIns;
  readonly log: Log;
  readonly consoleOrigins: readonly string[];
  readonly store: Pick<Store, 'owners'>;
  readonly peerAddress: PeerAddress | null;
}

/** Lets a request in, or throws the Problem that refuses it. Gives who asks; null where no token is needed. */
export async function admit(
  request: FastifyRequest,
  route: Route,
  parts: AccessParts,
): Promise<AdminClaims | null> {
  refuseForeignWrite(request, parts.consoleOrigins);
  if (route.role === null) return null;
  const caller = await withRole(identify(request, parts), parts);
  if (!mayDo(caller, route.role, parts.log)) throw forbidden();
  if (route.allOrgs && caller.org !== null) throw forbidden();
  const { org } = request.params as { org?: string };
  // Whether another org exists is nobody's business.
  if (org !== undefined && caller.org !== null && caller.org !== org) throw notFound('org');
  return caller;
}

/** The caller as the audit trail names them: by the `sub` and the role of their token. */
export function actorOf({ subject, role }: Pick<AdminClaims, 'subject' | 'role'>): Actor {
  return { name: subject, role };
}

/**
 * The caller, as an owner where they were made one at Redis: somebody has to be the first. Only a token for all orgs can be an
 * owner's. While Redis is out of reach, the token's own role counts.
 */
export async function withRole(
  caller: AdminClaims,
  { store }: Pick<AccessParts, 'store'>,
): Promise<AdminClaims> {
  if (caller.role === 'owner' || caller.org !== null) return caller;
  const isOwner = await store.owners.has(caller.subject).catch((error: unknown) => {
    if (error instanceof StoreUnavailable) return false;
    throw error;
  });
  return isOwner ? { ...caller, role: 'owner' } : caller;
}

/** Checks a token that somebody logs in with. A good one is let in whatever others at its address, or under its name, have tried. */
export function logIn(token: string, request: FastifyRequest, parts: AccessParts): AdminClaims {
  const tried = { address: networkOf(addressOf(request, parts)), name: nameClaimedBy(token) };
  if (!parts.gate.isGood(token)) parts.failedLogIns.refuseMany(tried);
  const verdict = parts.gate.judge(token, 'admin');
  if (verdict.ok) return verdict.claims;
  parts.failedLogIns.add(tried);
  throw unauthorized();
}

/** The `sub` of a token that nobody has verified: only good to count by. */
function nameClaimedBy(token: string): string | null {
  try {
    const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return typeof payload?.sub === 'string' ? payload.sub.slice(0, 256) : null;
  } catch {
    return null;
  }
}

/** Where a request comes from, as trusted proxies say. Empty where the peer has gone: Node knows its address no more. */
export function addressOf(
  { raw, ip }: FastifyRequest,
  { peerAddress }: Pick<AccessParts, 'peerAddress'>,
): string {
  return peerAddress?.(raw) ?? (ip as string | undefined) ?? '';
}

/** Keeps the browser signed in until the token ends. Scripts cannot read the cookie, other sites cannot use it. */
export function setCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  token: string,
  maxAgeMs: number,
): void {
  const seconds = Math.max(0, Math.floor(maxAgeMs / 1000));
  // TLS ends in front of the broker.
  const secure = request.headers['x-forwarded-proto'] === 'https' ? '; Secure' : '';
  reply.header(
    'Set-Cookie',
    `${COOKIE}=${token}; Max-Age=${seconds}; Path=/; HttpOnly; SameSite=Strict${secure}`,
  );
}

/** Whether the browser comes with a current token. */
export function isSignedIn({ headers }: FastifyRequest, gate: TokenGate<AdminClaims>): boolean {
  const token = cookieOf(headers.cookie ?? '');
  return token !== null && gate.isGood(token);
}

function identify(request: FastifyRequest, parts: AccessParts): AdminClaims {
  const { headers, raw } = request;
  const token = bearerToken(raw.headersDistinct.authorization) ?? cookieOf(headers.cookie ?? '');
  if (token === null) throw unauthorized();
  return logIn(token, request, parts);
}

function cookieOf(header: string): string | null {
  const pairs = header.split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1) ?? null;
}

function unauthorized(): Problem {
  return new Problem(
    401,
    'unauthorized',
    'a current admin token is needed',
    {},
    { 'WWW-Authenticate': 'Bearer' },
  );
}

export function forbidden(): Problem {
  return new Problem(403, 'forbidden', `this token's role or org does not allow that`);
}

/**
 * Whether the caller has this role or a higher one. In this version an admin's token for all orgs still counts as an
 * owner's, and the log tells when that was needed.
 */
export function mayDo(caller: AdminClaims, role: Role, log: Log): boolean {
  if (roles.indexOf(caller.role) >= roles.indexOf(role)) return true;
  if (role !== 'owner' || caller.role !== 'admin' || caller.org !== null) return false;
  log.warn(
    { actor: caller.subject },
    'an admin token for all orgs counted as an owner’s: it needs role owner',
  );
  return true;
}
