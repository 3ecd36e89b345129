import { createHash } from 'node:crypto';
import { isPlainText, nameFault, nameOf, orgNameFault } from '../protocol/text.js';
import { type ClaimMapping, claimAt, namedBy, type TokenPayload, text } from './claim-mapping.js';

/** Who a token speaks for, once all of it has been checked. */
export interface ClientClaims {
  /** `sub`, RFC 7519 section 4.1.2. */
  readonly user: string;
  readonly org: string;
  /** `exp` (section 4.1.4) in Unix milliseconds; always within the range of Date, perhaps centuries ahead. */
  readonly expiresAtMs: number;
  /** The person's name, for display. */
  readonly name?: string;
  /** The token's own id (section 4.1.7), by which it can be revoked; a long one as its SHA-256. */
  readonly jti?: string;
  /** When it was issued (`iat`, section 4.1.6) in Unix milliseconds. */
  readonly issuedAtMs?: number;
}

/** A longer `jti` is known by its hash: Redis keeps it with the lease. */
const LONGEST_ID = 128;

/** What a token is known by, of its `jti`. */
export function tokenIdOf(jti: string): string {
  return jti.length <= LONGEST_ID ? jti : createHash('sha256').update(jti).digest('hex');
}

/**
 * Each role may do what those before it may. An owner is the licensor: of all orgs, and the only one who sets what an org
 * has bought.
 */
export const roles = ['viewer', 'operator', 'admin', 'owner'] as const;
export type Role = (typeof roles)[number];

/** Who an admin token speaks for, once all of it has been checked. */
export interface AdminClaims {
  /** `sub`: the name in the audit trail. */
  readonly subject: string;
  readonly role: Role;
  /** The one org that the token is good for; null (`*` in the token): all of them. */
  readonly org: string | null;
  readonly expiresAtMs: number;
}

export type ClaimRefusal = 'bad_issuer' | 'bad_audience' | 'bad_claim' | 'expired' | 'not_yet_valid';

export interface ClaimRules {
  /** The `iss` that a token may have: one, but for admin tokens where clients' issuer is another. */
  readonly issuers: readonly string[];
  readonly audience: string;
  /** How far an issuer's clock may be ahead of ours. An end is an end: `exp` has no leeway. */
  readonly leewaySeconds: number;
  /** How long a token may live, from `iat` or else from now; without it as long as it says. */
  readonly lifeSeconds?: number;
}

export interface ClaimFault {
  readonly reason: ClaimRefusal;
  /** The claim at fault, for the log: its name, never its value. */
  readonly claim: string;
  /** What is wrong with it, in words that go on from the claim's name. */
  readonly problem: string;
  /** For a token that begins later, and soon: in how many milliseconds it does, the leeway taken off. */
  readonly beginsInMs?: number;
}

export type ClaimsVerdict<Claims> =
  | { readonly ok: true; readonly claims: Claims }
  | ({ readonly ok: false } & ClaimFault);

/** The last second of a Date (ECMA-262, "Time Values and Time Range"). */
const maxUnixSeconds = 8.64e12;
/** A token that begins later than this is not early: its issuer's clock is wrong. */
const maxWaitSeconds = 86_400;

/** Checks the claims of a client token whose signature holds, at `now` in Unix seconds. */
export function readClaims(
  payload: TokenPayload,
  rules: ClaimRules,
  now: number,
  mapping: ClaimMapping,
): ClaimsVerdict<ClientClaims> {
  const current = readTimes(payload, rules, now);
  if (!current.ok) return current;
  const userClaim =
    mapping.user.find((claim) => claimAt(payload, claim) !== undefined) ?? mapping.user[0] ?? '';
  const user = readName(text(claimAt(payload, userClaim)), userClaim);
  if (!user.ok) return user;
  const org = readOrg(payload, mapping);
  if (!org.ok) return org;
  const name = claimAt(payload, mapping.name);
  const { jti, iat } = payload;
  const claims = {
    user: user.claims,
    org: org.claims,
    expiresAtMs: current.claims,
    // What is optional never refuses a token.
    ...(isText(name) && { name }),
    ...(typeof jti === 'string' && jti !== '' && { jti: tokenIdOf(jti) }),
    ...(isUnixSeconds(iat) && { issuedAtMs: Math.floor(iat * 1000) }),
  };
  return { ok: true, claims };
}

/** Checks the claims of an admin token whose signature holds, at `now` in Unix seconds. */
export function readAdminClaims(
  payload: TokenPayload,
  rules: ClaimRules,
  now: number,
): ClaimsVerdict<AdminClaims> {
  const current = readTimes(payload, rules, now);
  if (!current.ok) return current;
  const subject = readName(text(payload.sub), 'sub');
  if (!subject.ok) return subject;
  const isForAll = payload.org === '*';
  const org = isForAll ? null : readName(payload.org, 'org', orgNameFault);
  if (org?.ok === false) return org;
  const role = roles.find((one) => one === payload.role);
  if (role === undefined) return badClaim('role', `is not one of ${roles.join(', ')}`);
  // An org's own people must not set its quota, so an owner is never of one org.
  if (role === 'owner' && !isForAll) return badClaim('org', 'must be * for an owner');
  const claims = {
    subject: subject.claims,
    role,
    org: org?.claims ?? null,
    expiresAtMs: current.claims,
  };
  return { ok: true, claims };
}

/** Why a payload that nobody vouches for would be refused for good: nobody needs to wait for its key. Null: it may be good. */
export function readUnverified(payload: TokenPayload, rules: ClaimRules, now: number): ClaimFault | null {
  const verdict = readTimes(payload, rules, now);
  return verdict.ok || verdict.reason === 'not_yet_valid' ? null : verdict;
}

/** Checks who issued a token, for whom, and when. Gives its end in Unix milliseconds. */
function readTimes(payload: TokenPayload, rules: ClaimRules, now: number): ClaimsVerdict<number> {
  const { iss, aud, exp, nbf, iat } = payload;
  // JSON.parse makes this an own property; the next one to copy the claims would set a prototype.
  if (Object.hasOwn(payload, '__proto__')) return badClaim('__proto__', 'must not be there');
  if (!rules.issuers.some((issuer) => issuer === iss))
    return { ok: false, reason: 'bad_issuer', claim: 'iss', problem: unlike(iss, 'SOLESEAT_JWT_ISSUER') };
  if (!isAudience(aud, rules.audience))
    return { ok: false, reason: 'bad_audience', claim: 'aud', problem: unlike(aud, 'the audience set here') };
  if (!isUnixSeconds(exp)) return badClaim('exp', exp === undefined ? 'is missing' : 'is not a time');
  const livesSeconds = exp - (isUnixSeconds(iat) ? iat : now);
  if (livesSeconds > (rules.lifeSeconds ?? Number.POSITIVE_INFINITY))
    return badClaim('exp', 'lies further ahead than SOLESEAT_TOKEN_LIFE_MAX_MS lets a token live');
  if (!(exp > now)) return { ok: false, reason: 'expired', claim: 'exp', problem: 'has passed' };
  for (const [claim, start] of Object.entries({ nbf, iat })) {
    const aheadSeconds = isUnixSeconds(start) ? start - now - rules.leewaySeconds : 0;
    if (!(aheadSeconds > 0)) continue;
    const isSoon = aheadSeconds <= maxWaitSeconds;
    return {
      ok: false,
      reason: 'not_yet_valid',
      claim,
      problem: isSoon ? 'lies ahead by more than the leeway' : 'lies ahead by more than a day',
      ...(isSoon && { beginsInMs: Math.ceil(aheadSeconds * 1000) }),
    };
  }
  return { ok: true, claims: Math.floor(exp * 1000) };
}

function readOrg(payload: TokenPayload, { org: claim, defaultOrg }: ClaimMapping): ClaimsVerdict<string> {
  const named = claim === null ? [] : namedBy(claimAt(payload, claim), claim);
  if (named.length > 1 && !named.includes(defaultOrg))
    return badClaim(claim ?? 'org', 'names several orgs, and SOLESEAT_DEFAULT_ORG is none of them');
  const found = named.length === 1 ? named[0] : defaultOrg;
  if (found === '' && named.length === 0)
    return badClaim(claim ?? 'org', 'is missing, and SOLESEAT_DEFAULT_ORG is not set');
  return readName(found, claim ?? 'org', orgNameFault);
}

/** Reads the name of a user or an org, as it is kept. */
function readName(
  value: unknown,
  claim: string,
  faultOf: (name: string) => string | null = nameFault,
): ClaimsVerdict<string> {
  if (typeof value !== 'string') return badClaim(claim, typeProblem(value));
  const name = nameOf(value);
  const fault = faultOf(name);
  return fault === null ? { ok: true, claims: name } : badClaim(claim, fault);
}

function badClaim(claim: string, problem: string) {
  return { ok: false, reason: 'bad_claim', claim, problem } as const;
}

function unlike(value: unknown, expected: string): string {
  return value === undefined ? 'is missing' : `is not ${expected}`;
}

function typeProblem(value: unknown): string {
  if (value === undefined || value === null) return 'is missing';
  return Array.isArray(value) ? 'is a list' : `is of type ${typeof value}`;
}

function isAudience(aud: unknown, expected: string): boolean {
  if (!Array.isArray(aud)) return aud === expected;
  return aud.every((one) => typeof one === 'string') && aud.includes(expected);
}

/** A NumericDate (RFC 7519 section 2), fractions allowed. Out go Infinity, which 1e400 parses to, and NaN. */
function isUnixSeconds(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= maxUnixSeconds;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && isPlainText(value);
}
