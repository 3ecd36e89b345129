import { textFault } from '../protocol/text.js';

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

export type ClaimRefusal = 'bad_issuer' | 'bad_audience' | 'bad_claim' | 'expired' | 'not_yet_valid';

export interface ClaimRules {
  readonly issuer: string;
  readonly audience: string;
}

export type ClaimsVerdict =
  | { readonly ok: true; readonly claims: ClientClaims }
  | { readonly ok: false; readonly reason: ClaimRefusal };

/** How far an issuer's clock may be ahead of ours. An end is an end: `exp` has no leeway. */
const leewaySeconds = 5;
const maxTextBytes = 256;
/** The last second of a Date (ECMA-262, "Time Values and Time Range"). */
const maxUnixSeconds = 8.64e12;

/** Checks the claims of a token whose signature holds, at `now` in Unix seconds. */
export function readClaims(
  payload: Readonly<Record<string, unknown>>,
  rules: ClaimRules,
  now: number,
): ClaimsVerdict {
  const { iss, aud, sub, org, exp, nbf, iat, name, jti } = payload;
  // JSON.parse makes this an own property; the next one to copy the claims would set a prototype.
  if (Object.hasOwn(payload, '__proto__')) return refuse('bad_claim');
  if (iss !== rules.issuer) return refuse('bad_issuer');
  if (!isAudience(aud, rules.audience)) return refuse('bad_audience');
  if (!isUnixSeconds(exp)) return refuse('bad_claim');
  if (!(exp > now)) return refuse('expired');
  for (const start of [nbf, iat]) {
    if (start === undefined) continue;
    if (!isUnixSeconds(start)) return refuse('bad_claim');
    if (!(start <= now + leewaySeconds)) return refuse('not_yet_valid');
  }
  // An org stands in a Redis hash tag, `{org}`, which a brace would end early.
  if (!isText(sub) || !isText(org) || /[{}]/.test(org)) return refuse('bad_claim');
  if (jti !== undefined && !isText(jti)) return refuse('bad_claim');
  // Some issuers send an empty name for none.
  if (name !== undefined && name !== '' && !isText(name)) return refuse('bad_claim');
  const expiresAtMs = Math.floor(exp * 1000);
  const claims = {
    user: sub,
    org,
    expiresAtMs,
    ...(name ? { name } : {}),
    ...(jti === undefined ? {} : { jti }),
  };
  return { ok: true, claims };
}

function refuse(reason: ClaimRefusal): ClaimsVerdict {
  return { ok: false, reason };
}

function isAudience(aud: unknown, expected: string): boolean {
  if (!Array.isArray(aud)) return aud === expected;
  return aud.every((one) => typeof one === 'string') && aud.includes(expected);
}

/** A NumericDate (RFC 7519 section 2), fractions allowed. Out go Infinity, which 1e400 parses to, and NaN. */
function isUnixSeconds(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= maxUnixSeconds;
}

/** U+FFFD is what bytes that are not UTF-8 decode to: it would make one user of two. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && textFault(value, maxTextBytes) === null && !value.includes('\ufffd');
}
