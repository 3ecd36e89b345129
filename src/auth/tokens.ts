import jwt from 'jsonwebtoken';
import { type ClaimMapping, claimPresets, type TokenPayload } from './claim-mapping.js';
import {
  type AdminClaims,
  type ClaimFault,
  type ClaimRefusal,
  type ClaimRules,
  type ClaimsVerdict,
  type ClientClaims,
  type Role,
  readAdminClaims,
  readClaims,
  readUnverified,
} from './claims.js';
import { eddsaPayload, signEdDsa } from './eddsa.js';
import { KeyError, type KeyHolder, type KeyRing, type VerificationKey } from './keys.js';
import { createHeaderReader, type HeaderDecision, type HeaderRefusal } from './token-header.js';

export { type AdminClaims, type ClientClaims, type Role, roles } from './claims.js';

/** Why a token is refused: for the log and the metrics, never with the token. */
export type TokenRefusal = 'too_large' | 'bad_signature' | HeaderRefusal | ClaimRefusal;

export type TokenVerdict<Claims = ClientClaims> =
  | { readonly ok: true; readonly claims: Claims }
  | ({ readonly ok: false; readonly reason: TokenRefusal } & Partial<Omit<ClaimFault, 'reason'>> & {
        /** For a key that is not known: its id; empty for a token without one. */
        readonly kid?: string;
      });

export interface TokenVerifier<Claims = ClientClaims> {
  /** Whether the token is genuine, current and meant for this audience. Never throws, does no I/O. */
  verify(token: string): TokenVerdict<Claims>;
}

export type AdminTokenVerifier = TokenVerifier<AdminClaims>;

export interface TokenVerifierOptions {
  readonly keys: KeyHolder;
  /** The exact `iss` (RFC 7519 section 4.1.1), or several. */
  readonly issuer: string | readonly string[];
  /** The `aud` among whose values this verifier must be (section 4.1.3). One verifier serves one audience. */
  readonly audience: string;
  /** The time in Unix seconds; the system's by default. */
  readonly clock?: () => number;
  /** How far the issuer's clock may be ahead, for `nbf` and `iat`; 60 s by default. */
  readonly leewayMs?: number;
  /** How long a token may live; 0, as by default: as long as it says. */
  readonly lifeMaxMs?: number;
}

export interface ClientTokenOptions extends TokenVerifierOptions {
  /** Which claims say who somebody is; by default those of a back end of one's own. */
  readonly mapping?: ClaimMapping;
}

/** In characters, which are bytes: a token is ASCII. */
const maxTokenLength = 8192;

/**
 * A verifier of client tokens: signed JWTs in compact form (RFC 7515, RFC 7519), as strict as RFC 8725 asks.
 * Throws on an empty issuer or audience, which the library would take for "any".
 */
export function createTokenVerifier(options: ClientTokenOptions): TokenVerifier {
  const mapping = options.mapping ?? { ...claimPresets.soleseat, defaultOrg: '' };
  return verifierOf(options, (payload, rules, now) => readClaims(payload, rules, now, mapping));
}

/** A verifier of admin tokens, as strict; its audience is another one, so that neither kind passes for the other. */
export function createAdminTokenVerifier(options: TokenVerifierOptions): AdminTokenVerifier {
  return verifierOf(options, readAdminClaims);
}

function verifierOf<Claims>(
  options: TokenVerifierOptions,
  read: (payload: TokenPayload, rules: ClaimRules, now: number) => ClaimsVerdict<Claims>,
): TokenVerifier<Claims> {
  const {
    keys,
    issuer,
    audience,
    clock = () => Date.now() / 1000,
    leewayMs = 60_000,
    lifeMaxMs = 0,
  } = options;
  const issuers = [issuer].flat();
  if (issuers.some((one) => one === '') || audience === '')
    throw new Error('a token verifier needs an issuer and an audience');
  const rulesNow = (): ClaimRules => ({
    issuers:
      typeof keys.issuer === 'string'
        ? [keys.issuer]
        : keys.ring === null
          ? issuers.flatMap(spellings)
          : issuers,
    audience,
    leewaySeconds: leewayMs / 1000,
    ...(lifeMaxMs > 0 && { lifeSeconds: lifeMaxMs / 1000 }),
  });
  let ring: KeyRing | null = null;
  let rules = rulesNow();
  let readHeader = createHeaderReader(null);
  const readHeaderNow = (encoded: string): HeaderDecision => {
    if (keys.ring !== ring) {
      ring = keys.ring;
      rules = rulesNow();
      readHeader = createHeaderReader(ring);
    }
    return readHeader(encoded);
  };
  /** The key may come; but a token of another issuer, or one that has ended, will not be good with it either. */
  const withoutKey = (token: string, decision: HeaderDecision & { ok: false }): TokenVerdict<Claims> => {
    const payload = decoded(token);
    if (!isPayload(payload)) return { ok: false, reason: 'malformed' };
    const fault = readUnverified(payload, rules, clock());
    if (fault !== null) return { ok: false, ...fault };
    keys.missed?.();
    return decision;
  };
  return {
    verify(token) {
      if (typeof token !== 'string') return { ok: false, reason: 'malformed' };
      if (token.length > maxTokenLength) return { ok: false, reason: 'too_large' };
      if (!isCompactForm(token)) return { ok: false, reason: 'malformed' };
      const header = readHeaderNow(token.slice(0, token.indexOf('.')));
      if (!header.ok) return header.reason === 'unknown_kid' ? withoutKey(token, header) : header;
      const payload = verifiedPayload(token, header.keys);
      if (typeof payload !== 'string') return read(payload, rules, clock());
      // Keys without a name are told apart by nothing else: the issuer may have a new one.
      if (payload === 'bad_signature' && header.keys.every(({ kid }) => kid === null)) keys.missed?.();
      return { ok: false, reason: payload };
    },
  };
}

/** A provider that has not been heard yet may spell its name with a slash at the end, or without: nobody is refused for it. */
function spellings(issuer: string): readonly string[] {
  return URL.canParse(issuer)
    ? [issuer, issuer.endsWith('/') ? issuer.slice(0, -1) : `${issuer}/`]
    : [issuer];
}

interface SigningOptions {
  readonly key: VerificationKey;
  readonly issuer: string;
  readonly audience: string;
  /** Whole seconds from now. */
  readonly expiresInSeconds: number;
}

export interface MintOptions extends SigningOptions {
  readonly user: string;
  readonly org: string;
  readonly name?: string;
  readonly jti?: string;
  /** Which claims say who somebody is; by default those of a back end of one's own. */
  readonly mapping?: Omit<ClaimMapping, 'defaultOrg'>;
}

export interface AdminMintOptions extends SigningOptions {
  readonly subject: string;
  readonly role: Role;
  /** An org, or `*` for all of them. */
  readonly org: string;
}

/** A client token, signed by the key's own algorithm. Throws KeyError where only the public half is known. */
export function mintToken(options: MintOptions): string {
  const { user, org, name, jti, mapping = claimPresets.soleseat } = options;
  const [userClaim = 'sub'] = mapping.user;
  const claims = {
    ...(mapping.org !== null && { [mapping.org]: org }),
    ...(userClaim !== 'sub' && { [userClaim]: user }),
    ...(name !== undefined && mapping.name !== 'sub' && { [mapping.name]: name }),
    ...(jti !== undefined && { jti }),
  };
  return signed(claims, user, options);
}

/** An admin token. Throws KeyError where only the public half of the key is known. */
export function mintAdminToken(options: AdminMintOptions): string {
  const { subject, role, org } = options;
  return signed({ org, role }, subject, options);
}

function signed(claims: object, subject: string, options: SigningOptions): string {
  const { key, issuer, audience, expiresInSeconds } = options;
  if (key.signingKey === null) throw new KeyError('this key verifies only: its private half is not known');
  const keyid = key.kid === null ? {} : { keyid: key.kid };
  if (key.algorithm === 'EdDSA') {
    const { kid } = key;
    const issued = Math.floor(Date.now() / 1000);
    const header = { alg: 'EdDSA', typ: 'JWT', ...(kid !== null && { kid }) };
    const times = { iat: issued, exp: issued + expiresInSeconds };
    return signEdDsa(
      header,
      { ...claims, sub: subject, iss: issuer, aud: audience, ...times },
      key.signingKey,
    );
  }
  return jwt.sign(claims, key.signingKey, {
    algorithm: key.algorithm,
    subject,
    issuer,
    audience,
    expiresIn: expiresInSeconds,
    ...keyid,
  });
}

const threeParts = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/;

/**
 * Three parts of base64url without padding, each the only spelling of its bytes: a decoder drops the bits
 * that a last character has too many, so that one token would have several spellings.
 */
function isCompactForm(token: string): boolean {
  const parts = threeParts.exec(token);
  return parts !== null && isCanonical(parts[1]) && isCanonical(parts[2]) && isCanonical(parts[3]);
}

function isCanonical(part: string | undefined): boolean {
  if (part === undefined) return false;
  const last = part.charAt(part.length - 1);
  switch (part.length % 4) {
    case 0:
      return true;
    case 2:
      return 'AQgw'.includes(last);
    case 3:
      return 'AEIMQUYcgkosw048'.includes(last);
    default:
      return false;
  }
}

/** What the signature vouches for. The times are left to readClaims, which is stricter than the library. */
function verifiedPayload(
  token: string,
  keys: readonly VerificationKey[],
): TokenPayload | 'malformed' | 'bad_signature' {
  for (const key of keys) {
    const payload = payloadBy(token, key);
    if (payload !== undefined) return isPayload(payload) ? payload : 'malformed';
  }
  return isPayload(decoded(token)) ? 'bad_signature' : 'malformed';
}

/** Undefined where this key did not sign the token. */
function payloadBy(token: string, { algorithm, key }: VerificationKey): unknown {
  try {
    if (algorithm === 'EdDSA') return eddsaPayload(token, key);
    return jwt.verify(token, key, {
      algorithms: [algorithm],
      ignoreExpiration: true,
      ignoreNotBefore: true,
    });
  } catch {
    // The library throws all kinds of errors, also for payloads that are not objects.
    return undefined;
  }
}

function decoded(token: string): unknown {
  try {
    return jwt.decode(token);
  } catch {
    return null;
  }
}

function isPayload(value: unknown): value is TokenPayload {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
