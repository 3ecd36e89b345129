import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { checkRsa, isObject, keyFromJwk, secretKey } from './jwk.js';
import { type KeyAlgorithm, KeyError, KeyRing, type VerificationKey } from './keys.js';

/** More keys than any issuer has: beyond this a source is not a key set. */
const maxKeys = 100;

/** A ring of one HS256 key without kid; the secret's UTF-8 bytes are the key. Throws KeyError under 32 bytes. */
export function keyRingFromSecret(secret: string): KeyRing {
  const key = secretKey(Buffer.from(secret, 'utf8'));
  return new KeyRing([{ kid: null, algorithm: 'HS256', key, signingKey: key }]);
}

/** A ring from the text of a key file: a JWKS, one JWK, or PEM. Throws KeyError where no key in it can be used. */
export function keyRingFromText(text: string): KeyRing {
  return text.includes('-----BEGIN ') ? keyRingFromPem(text) : keyRingFromJwks(text);
}

/**
 * A ring from a JWK Set (RFC 7517 section 5), or from one JWK. Keys that cannot be used are left out, each with its
 * reason in `skipped`, also those to encrypt with, which providers list beside the others.
 * Throws KeyError where none is left.
 */
export function keyRingFromJwks(text: string): KeyRing {
  return keyRingFromEntries(entriesOf(parsed(text)));
}

/** As keyRingFromJwks, from the entries of `keys`; of a set that anybody may read, secrets are left out. */
export function keyRingFromEntries(entries: readonly unknown[], { isPublic = false } = {}): KeyRing {
  const numbered = entries.map((jwk, index) => ({ jwk, place: `key ${index + 1}` }));
  return gathered(numbered, ({ jwk }) => {
    // A secret that everybody can read lets everybody sign.
    if (isPublic && isObject(jwk) && jwk.kty === 'oct')
      throw new KeyError('is a secret, at a URL that shows it');
    return keyFromJwk(jwk);
  });
}

const pemBlock = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

/**
 * A ring from PEM: public keys, certificates and private keys, which sign as well. They have no kid. A private key and
 * its public half may both be there. Throws KeyError where none can be used.
 */
export function keyRingFromPem(text: string): KeyRing {
  const blocks = [...text.matchAll(pemBlock)].filter(([, label]) => label !== 'EC PARAMETERS');
  const numbered = blocks.map(([pem, label = ''], index) => ({
    pem,
    label,
    place: `PEM block ${index + 1}`,
  }));
  const ring = gathered(numbered, ({ pem, label }) => keyFromPem(pem, label));
  const distinct = ring.keys.filter(
    (one, index) => !ring.keys.some((other, at) => isSameKey(one, other) && isBetter(other, at, one, index)),
  );
  return new KeyRing(distinct, ring.skipped);
}

function gathered<E extends { readonly place: string }>(
  entries: readonly E[],
  read: (entry: E) => VerificationKey,
): KeyRing {
  if (entries.length > maxKeys) throw new KeyError(`holds more than ${maxKeys} keys`);
  const skipped: string[] = [];
  const keys = entries.flatMap((entry) => {
    try {
      return [read(entry)];
    } catch (error) {
      if (!(error instanceof KeyError)) throw error;
      skipped.push(`${entry.place} ${error.message}`);
      return [];
    }
  });
  return new KeyRing(keys, skipped);
}

function entriesOf(value: unknown): readonly unknown[] {
  if (isObject(value) && Array.isArray(value.keys)) return value.keys;
  if (isObject(value) && value.kty !== undefined) return [value];
  throw new KeyError('is neither PEM nor a JSON object with an array of keys');
}

function keyFromPem(pem: string, label: string): VerificationKey {
  const { key, signingKey } = readPem(pem, label);
  return { kid: null, algorithm: algorithmOf(key), key, signingKey };
}

function readPem(pem: string, label: string): Pick<VerificationKey, 'key' | 'signingKey'> {
  try {
    if (label.endsWith('PRIVATE KEY')) {
      const signingKey = createPrivateKey(pem);
      return { key: createPublicKey(signingKey), signingKey };
    }
    const key = label === 'CERTIFICATE' ? new X509Certificate(pem).publicKey : createPublicKey(pem);
    return { key, signingKey: null };
  } catch {
    throw new KeyError(`is not a ${label.toLowerCase()} that can be read, or an encrypted one`);
  }
}

function algorithmOf(key: KeyObject): KeyAlgorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'rsa') {
    checkRsa(key);
    return 'RS256';
  }
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return 'ES256';
  if (type === 'ed25519') return 'EdDSA';
  throw new KeyError('is neither an RSA key, nor one on P-256, nor Ed25519');
}

function isSameKey(one: VerificationKey, other: VerificationKey): boolean {
  return one !== other && one.key.equals(other.key);
}

/** Of two of one key, the one that signs is kept, else the first. */
function isBetter(other: VerificationKey, at: number, one: VerificationKey, index: number): boolean {
  const signs = (key: VerificationKey) => Number(key.signingKey !== null);
  return signs(other) === signs(one) ? at < index : signs(other) > signs(one);
}

/** Null for what is not JSON: the parser's message quotes the text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
