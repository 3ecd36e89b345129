import { algorithmNamed } from './jwk.js';
import { type KeyAlgorithm, type KeyRing, keyAlgorithms, type VerificationKey } from './keys.js';

export type HeaderRefusal = 'malformed' | 'bad_header' | 'bad_algorithm' | 'unknown_kid';

/** The keys that a token's header asks for, or why it gets none. */
export type HeaderDecision =
  | { readonly ok: true; readonly keys: readonly VerificationKey[] }
  | {
      readonly ok: false;
      readonly reason: Exclude<HeaderRefusal, 'unknown_kid'>;
    }
  | {
      readonly ok: false;
      readonly reason: 'unknown_kid';
      /** The kid that is not in the ring; empty for none. */
      readonly kid: string;
    };

const maxRemembered = 256;
/** Longer headers (certificate chains) are decided anew each time, so that memory stays bounded. */
const maxRememberedLength = 512;

/**
 * Decides on the base64url text of a JOSE header (RFC 7515 section 4). An issuer's tokens share one header
 * a key, so accepted headers are remembered by their text; refused ones are not, lest they crowd those out.
 */
export function createHeaderReader(keys: KeyRing | null): (encoded: string) => HeaderDecision {
  const remembered = new Map<string, HeaderDecision>();
  return (encoded) => {
    const known = remembered.get(encoded);
    if (known !== undefined) return known;
    const decision = decide(encoded, keys);
    if (decision.ok && encoded.length <= maxRememberedLength) {
      if (remembered.size >= maxRemembered) remembered.clear();
      // A copy: a slice would keep the whole token in memory.
      remembered.set(Buffer.from(encoded, 'latin1').toString('latin1'), decision);
    }
    return decision;
  };
}

/** `jku`, `x5u`, `jwk`, `x5c` are not looked at: a token does not bring its own key (RFC 8725 section 3.10). */
function decide(encoded: string, ring: KeyRing | null): HeaderDecision {
  const header = parseHeader(encoded);
  if (header === null) return refuse('malformed');
  const algorithm = keyAlgorithms.find((one) => one === algorithmNamed(header.alg));
  if (algorithm === undefined) return refuse('bad_algorithm');
  // RFC 7515 section 4.1.11: an extension that is not understood refuses the token, and none is understood.
  if (Object.hasOwn(header, 'crit')) return refuse('bad_header');
  if (header.b64 !== undefined && header.b64 !== true) return refuse('bad_header'); // RFC 7797
  if (header.typ !== undefined && !isTokenType(header.typ)) return refuse('bad_header');
  if (header.cty !== undefined) return refuse('bad_header'); // nested tokens, RFC 7519 section 5.2
  if (header.kid !== undefined && typeof header.kid !== 'string') return refuse('bad_header');
  return keysFor(header.kid ?? null, algorithm, ring);
}

function keysFor(kid: string | null, algorithm: KeyAlgorithm, ring: KeyRing | null): HeaderDecision {
  const keys = ring?.find(kid, algorithm) ?? [];
  const isKnown = kid !== null && ring?.has(kid) === true;
  if (kid !== null && !isKnown && isForged(kid)) return refuse('bad_header');
  if (keys.length > 0) return { ok: true, keys };
  // Where the issuer names its keys, one of another name may come. Nothing else is worth waiting for.
  const mayCome = ring === null || (kid !== null && !isKnown && ring.namesKeys);
  return mayCome ? { ok: false, reason: 'unknown_kid', kid: kid ?? '' } : refuse('bad_algorithm');
}

/** Upwards, into the folders of a system, by a drive or a URL of files; base64 may begin with a slash, too. */
const path =
  /\.\.[/\\]|^\/(bin|boot|dev|etc|home|lib|mnt|opt|proc|root|run|srv|sys|tmp|usr|var)\/|^[a-z]:\\|^file:|\0/i;

/** Whether no issuer names a key so: as a path into a file system, or after a property that every object has. */
function isForged(kid: string): boolean {
  return kid in Object.prototype || path.test(kid);
}

function refuse(reason: Exclude<HeaderRefusal, 'unknown_kid'>): HeaderDecision {
  return { ok: false, reason };
}

/** RFC 7519 section 5.1 and RFC 9068 section 2.1; other kinds of token are meant for others (RFC 8725 section 3.11). */
function isTokenType(typ: unknown): boolean {
  return typeof typ === 'string' && /^(application\/)?(at\+)?jwt$/i.test(typ);
}

function parseHeader(encoded: string): Readonly<Record<string, unknown>> | null {
  try {
    const header: unknown = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8'));
    return typeof header === 'object' && header !== null && !Array.isArray(header) ? { ...header } : null;
  } catch {
    return null;
  }
}
