import type { KeyRing, VerificationKey } from './keys.js';

export type HeaderRefusal = 'malformed' | 'bad_header' | 'bad_algorithm' | 'unknown_kid';

/** The key that a token's header asks for, or why it gets none. */
export type HeaderDecision =
  | { readonly ok: true; readonly key: VerificationKey }
  | { readonly ok: false; readonly reason: HeaderRefusal };

const maxRemembered = 256;
/** Longer headers (certificate chains) are decided anew each time, so that memory stays bounded. */
const maxRememberedLength = 512;
const algorithms: ReadonlySet<unknown> = new Set(['HS256', 'RS256', 'ES256']);

/**
 * Decides on the base64url text of a JOSE header (RFC 7515 section 4). An issuer's tokens share one header
 * a key, so accepted headers are remembered by their text; refused ones are not, lest they crowd those out.
 */
export function createHeaderReader(keys: KeyRing): (encoded: string) => HeaderDecision {
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
function decide(encoded: string, keys: KeyRing): HeaderDecision {
  const header = parseHeader(encoded);
  if (header === null) return refuse('malformed');
  if (!algorithms.has(header.alg)) return refuse('bad_algorithm');
  // RFC 7515 section 4.1.11: an extension that is not understood refuses the token, and none is understood.
  if (Object.hasOwn(header, 'crit')) return refuse('bad_header');
  if (header.b64 !== undefined && header.b64 !== true) return refuse('bad_header'); // RFC 7797
  if (header.typ !== undefined && !isJwtType(header.typ)) return refuse('bad_header');
  if (header.cty !== undefined) return refuse('bad_header'); // nested tokens, RFC 7519 section 5.2
  if (header.kid !== undefined && typeof header.kid !== 'string') return refuse('bad_header');
  const key = keys.find(header.kid ?? null);
  if (key === undefined) return refuse('unknown_kid');
  return key.algorithm === header.alg ? { ok: true, key } : refuse('bad_algorithm');
}

function refuse(reason: HeaderRefusal): HeaderDecision {
  return { ok: false, reason };
}

/** RFC 7519 section 5.1; other kinds of token (`at+jwt`) are meant for others (RFC 8725 section 3.11). */
function isJwtType(typ: unknown): boolean {
  return typeof typ === 'string' && typ.toUpperCase() === 'JWT';
}

function parseHeader(encoded: string): Readonly<Record<string, unknown>> | null {
  try {
    const header: unknown = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8'));
    return typeof header === 'object' && header !== null && !Array.isArray(header) ? { ...header } : null;
  } catch {
    return null;
  }
}
