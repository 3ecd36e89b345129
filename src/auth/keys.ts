import type { KeyObject } from 'node:crypto';

/** One key serves one of these (RFC 7518 section 3.1, RFC 8037 section 3.1). */
export const keyAlgorithms = ['HS256', 'RS256', 'PS256', 'ES256', 'EdDSA'] as const;
export type KeyAlgorithm = (typeof keyAlgorithms)[number];

/** One key with the one algorithm it serves (RFC 8725 section 3.1). */
export interface VerificationKey {
  /** The key's id (RFC 7515 section 4.1.4), or null where its source gives it none. */
  readonly kid: string | null;
  readonly algorithm: KeyAlgorithm;
  /** The secret, or the public half of a pair. */
  readonly key: KeyObject;
  /** What signs: the secret or the private half; null where only the public half is known. */
  readonly signingKey: KeyObject | null;
}

/** Keys that cannot be used. The message says which key and why, and never holds key material. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
}

/** What a verifier takes its keys from. They may be others at the next look. */
export interface KeyHolder {
  /** Null while there are none yet, as before the first answer of an identity provider. */
  readonly ring: KeyRing | null;
  /** The `iss` that the source of the keys names; null where it names none. */
  readonly issuer?: string | null;
  /** A token named a key that is not in the ring. Returns at once. */
  missed?(): void;
}

/** Signatures are tried with no more keys than this for one token: each costs time. */
const maxCandidates = 8;

/**
 * The keys that are trusted at one moment, found by exact `kid` and algorithm: a kid is never a path, a URL or a property
 * name. A ring never changes; a KeySet puts another one in its place.
 */
export class KeyRing implements KeyHolder {
  readonly keys: readonly VerificationKey[];
  /** Why keys of the source were left out, a line each. */
  readonly skipped: readonly string[];
  readonly #byKid = new Map<string | null, VerificationKey[]>();

  /** Throws KeyError where no key is left. */
  constructor(keys: readonly VerificationKey[], skipped: readonly string[] = []) {
    const reasons = [...skipped];
    this.keys = keys.filter((key, index) => {
      const fault = this.#add(key);
      if (fault !== null) reasons.push(`key ${index + 1} of those that can be used ${fault}`);
      return fault === null;
    });
    this.skipped = reasons;
    if (this.keys.length > 0) return;
    const why = reasons.length > 0 ? `: ${reasons.join('; ')}` : '';
    throw new KeyError(`holds no key to verify tokens with${why}`);
  }

  get ring(): KeyRing {
    return this;
  }

  /**
   * The keys that may have signed a token of this header; `kid` is null for a token without one. Mostly one. A token or
   * a key without kid is matched by its algorithm alone, which is safe: the signature decides.
   */
  find(kid: string | null, algorithm: KeyAlgorithm): readonly VerificationKey[] {
    const named = kid === null ? this.keys : this.#byKid.get(kid);
    const possible = named ?? this.#byKid.get(null) ?? [];
    return possible.filter((key) => key.algorithm === algorithm).slice(0, maxCandidates);
  }

  /** Whether any key has a kid. */
  get namesKeys(): boolean {
    return this.keys.some(({ kid }) => kid !== null);
  }

  has(kid: string): boolean {
    return this.#byKid.has(kid);
  }

  #add(key: VerificationKey): string | null {
    const sameKid = this.#byKid.get(key.kid) ?? [];
    if (key.kid !== null) {
      if (sameKid.some(({ algorithm }) => algorithm === key.algorithm))
        return 'has the kid of an earlier one';
      // A public key is known to everybody: it must never be taken for a secret, with which they could sign.
      if (sameKid.some(({ algorithm }) => (algorithm === 'HS256') !== (key.algorithm === 'HS256')))
        return 'mixes a secret and a key pair under one kid';
    }
    this.#byKid.set(key.kid, [...sameKid, key]);
    return null;
  }
}
