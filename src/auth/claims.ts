import { isOrgName, isPlainText } from '../protocol/text.js';

/** Who a token speaks for, once all of it has been checked. */
export interface ClientClaims {
  /** `sub`, RFC 7519 section 4.1.2. */
  readonly user: string;
  readonly org: string;
  /** `exp` (section 4.1.4) in Unix milliseconds; always within the range of Date, perhaps centuries ahead. */
  readonly expiresAtMs: number;
  /** The person's name, for display. */
  readonly name?: string;
  /** The token's own id (section 4.1.7), by which it can be revoked. */
  readonly jti?: string;
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
  readonly issuer: string;
  readonly audience: string;
}

export type ClaimsVerdict<Claims> =
  | { readonly ok: true; readonly claims: Claims }
  | {
      readonly ok: false;
      readonly reason: ClaimRefusal;
      /** The claim at fault, for the log: its name, never its value. */
      readonly claim: string;
    };

/** A payload whose signature holds. */
export type TokenPayload = Readonly<Record<string, unknown>>;

interface CommonClaims {
  readonly subject: string;
  readonly org: string;
  readonly expiresAtMs: number;
}

/** How far an issuer's clock may be ahead of ours. An end is an end: `exp` has no leeway. */
const leewaySeconds = 5;
/** The last second of a Date (ECMA-262, "Time Values and Time Range"). */
const maxUnixSeconds = 8.64e12;

/** Checks the claims of a client token whose signature holds, at `now` in Unix seconds. */
export function readClaims(
  payload: TokenPayload,
  rules: ClaimRules,
  now: number,
): ClaimsVerdict<ClientClaims> {
  const common = readCommon(payload, rules, now);
  if (!common.ok) return common;
  const { name, jti } = payload;
  if (jti !== undefined && !isText(jti)) return refuse('bad_claim', 'jti');
  // Some issuers send an empty name for none.
  if (name !== undefined && name !== '' && !isText(name)) return refuse('bad_claim', 'name');
  const { subject, org, expiresAtMs } = common.claims;
  const claims = {
    user: subject,
    org,
    expiresAtMs,
    ...(name ? { name } : {}),
    ...(jti === undefined ? {} : { jti }),
  };
  return { ok: true, claims };
}

/** Checks the claims of an admin token whose signature holds, at `now` in Unix seconds. */
export function readAdminClaims(
  payload: TokenPayload,
  rules: ClaimRules,
  now: number,
): ClaimsVerdict<AdminClaims> {
  const common = readCommon(payload, rules, now);
  if (!common.ok) return common;
  const role = roles.find((one) => one === payload.role);
  if (role === undefined) return refuse('bad_claim', 'role');
  const { subject, org, expiresAtMs } = common.claims;
  // An org's own people must not set its quota, so an owner is never of one org.
  if (role === 'owner' && org !== '*') return refuse('bad_claim', 'org');
  return { ok: true, claims: { subject, role, org: org === '*' ? null : org, expiresAtMs } };
}

/** What both kinds of token must have. */
function readCommon(payload: TokenPayload, rules: ClaimRules, now: number): ClaimsVerdict<CommonClaims> {
  const { iss, aud, sub, org, exp, nbf, iat } = payload;
  // JSON.parse makes this an own property; the next one to copy the claims would set a prototype.
  if (Object.hasOwn(payload, '__proto__')) return refuse('bad_claim', '__proto__');
  if (iss !== rules.issuer) return refuse('bad_issuer', 'iss');
  if (!isAudience(aud, rules.audience)) return refuse('bad_audience', 'aud');
  if (!isUnixSeconds(exp)) return refuse('bad_claim', 'exp');
  if (!(exp > now)) return refuse('expired', 'exp');
  for (const [claim, start] of Object.entries({ nbf, iat })) {
    if (start === undefined) continue;
    if (!isUnixSeconds(start)) return refuse('bad_claim', claim);
    if (!(start <= now + leewaySeconds)) return refuse('not_yet_valid', claim);
  }
  if (!isText(sub)) return refuse('bad_claim', 'sub');
  if (typeof org !== 'string' || !isOrgName(org)) return refuse('bad_claim', 'org');
  return { ok: true, claims: { subject: sub, org, expiresAtMs: Math.floor(exp * 1000) } };
}

function refuse(reason: ClaimRefusal, claim: string) {
  return { ok: false, reason, claim } as const;
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
