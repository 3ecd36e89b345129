import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type JsonWebKey,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';

export type KeyAlgorithm = 'HS256' | 'RS256' | 'ES256';

/** One key with the one algorithm it serves (RFC 8725 section 3.1). */
export interface VerificationKey {
  /** The key's id (RFC 7515 section 4.1.4), or null for the only key of its ring. */
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

/** The keys that a verifier trusts, found by exact `kid` alone: a kid is never a path, a URL or a property name. */
export class KeyRing {
  readonly #byKid = new Map<string | null, VerificationKey>();

  /** Throws KeyError on no key, on two keys of one kid, and on a key without kid among several. */
  constructor(readonly keys: readonly VerificationKey[]) {
    if (keys.length === 0) throw new KeyError('there is no key to verify tokens with');
    for (const [index, key] of keys.entries()) {
      if (key.kid === null && keys.length > 1)
        throw new KeyError(`key ${index + 1} has no kid, which several keys need`);
      if (this.#byKid.has(key.kid)) throw new KeyError(`key ${index + 1} has the kid of an earlier key`);
      this.#byKid.set(key.kid, key);
    }
  }

  /** The key of that kid; null stands for a token without one, which only a key without kid answers. */
  find(kid: string | null): VerificationKey | undefined {
    return this.#byKid.get(kid);
  }
}

/** RFC 7518 section 3.2: an HS256 key is at least as long as the hash. */
const minSecretBytes = 32;
/** RFC 7518 section 3.3. */
const minRsaBits = 2048;

/** A ring of one HS256 key without kid; the secret's UTF-8 bytes are the key. Throws KeyError under 32 bytes. */
export function keyRingFromSecret(secret: string): KeyRing {
  const key = secretKey(Buffer.from(secret, 'utf8'), 'the secret');
  return new KeyRing([{ kid: null, algorithm: 'HS256', key, signingKey: key }]);
}

/**
 * A ring from a JWK Set (RFC 7517): oct keys serve HS256, RSA keys RS256, P-256 keys ES256.
 * Keys with `use: "enc"`, which identity providers list beside the others, are left out;
 * anything else that cannot verify is refused with a KeyError, lest a key be missed in silence.
 */
export function keyRingFromJwks(text: string): KeyRing {
  const set = parseObject(text);
  if (!Array.isArray(set?.keys)) throw new KeyError('the JWKS is not a JSON object with an array of keys');
  const entries: unknown[] = set.keys;
  const numbered = entries.map((jwk, index) => ({ jwk, place: `key ${index + 1} of the JWKS` }));
  const signing = numbered.filter(({ jwk }) => !(isObject(jwk) && jwk.use === 'enc'));
  return new KeyRing(signing.map(({ jwk, place }) => keyFromJwk(jwk, place)));
}

type Jwk = Readonly<Record<string, unknown>>;

const readers = new Map<unknown, (jwk: Jwk, place: string) => Omit<VerificationKey, 'kid'>>([
  ['oct', readSecret],
  ['RSA', readRsa],
  ['EC', readEc],
]);

function keyFromJwk(jwk: unknown, place: string): VerificationKey {
  if (!isObject(jwk)) throw new KeyError(`${place} is not an object`);
  const { kid, kty, alg, use } = jwk;
  if (kid !== undefined && (typeof kid !== 'string' || kid === ''))
    throw new KeyError(`${place}: kid is not a non-empty string`);
  if (use !== undefined && use !== 'sig') throw new KeyError(`${place}: use is not "sig"`);
  const read = readers.get(kty);
  if (read === undefined) throw new KeyError(`${place}: kty is not oct, RSA or EC`);
  // A secret and a public key in one entry invite the confusion of RFC 8725 section 2.1.
  const alien = kty === 'oct' ? ['n', 'e', 'crv', 'x', 'y', 'd'] : ['k'];
  if (alien.some((member) => Object.hasOwn(jwk, member)))
    throw new KeyError(`${place} mixes a secret with a key pair`);
  const key = read(jwk, place);
  if (alg !== undefined && alg !== key.algorithm)
    throw new KeyError(`${place}: alg is not ${key.algorithm}, the one algorithm of such a key`);
  return { kid: kid ?? null, ...key };
}

function readSecret(jwk: Jwk, place: string): Omit<VerificationKey, 'kid'> {
  const bytes = Buffer.from(typeof jwk.k === 'string' ? jwk.k : '', 'base64url');
  if (bytes.toString('base64url') !== jwk.k) throw new KeyError(`${place}: k is not base64url`);
  const key = secretKey(bytes, place);
  return { algorithm: 'HS256', key, signingKey: key };
}

function readRsa(jwk: Jwk, place: string): Omit<VerificationKey, 'kid'> {
  const pair = readPair(jwk, ['n', 'e'], place);
  const { modulusLength = 0, publicExponent = 0n } = pair.key.asymmetricKeyDetails ?? {};
  if (modulusLength < minRsaBits)
    throw new KeyError(`${place} has ${modulusLength} bits; RSA needs ${minRsaBits}`);
  // With an exponent of 1 every signature is its own message.
  if (publicExponent < 3n || publicExponent % 2n === 0n)
    throw new KeyError(`${place} has an unfit RSA exponent`);
  return { algorithm: 'RS256', ...pair };
}

function readEc(jwk: Jwk, place: string): Omit<VerificationKey, 'kid'> {
  if (jwk.crv !== 'P-256') throw new KeyError(`${place}: crv is not P-256`);
  return { algorithm: 'ES256', ...readPair(jwk, ['crv', 'x', 'y'], place) };
}

function readPair(jwk: Jwk, publicMembers: readonly string[], place: string) {
  const publicJwk: JsonWebKey = { kty: String(jwk.kty) };
  for (const member of publicMembers) publicJwk[member] = jwk[member];
  try {
    const key = createPublicKey({ key: publicJwk, format: 'jwk' });
    const signingKey = Object.hasOwn(jwk, 'd') ? createPrivateKey({ key: { ...jwk }, format: 'jwk' }) : null;
    if (signingKey !== null && !isPair(key, signingKey)) throw new Error('halves of two pairs');
    return { key, signingKey };
  } catch {
    // Node's message may quote the member it dislikes: it is dropped, cause and all.
    throw new KeyError(`${place} is not a valid ${publicJwk.kty} key`);
  }
}

/** Node takes a private half that does not belong to the public one. */
function isPair(key: KeyObject, signingKey: KeyObject): boolean {
  const probe = Buffer.from('probe');
  return verify('sha256', probe, key, sign('sha256', probe, signingKey));
}

function secretKey(bytes: Buffer, place: string): KeyObject {
  if (bytes.length < minSecretBytes)
    throw new KeyError(`${place} has ${bytes.length} bytes; HS256 needs ${minSecretBytes}`);
  return createSecretKey(bytes);
}

function parseObject(text: string): Jwk | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null; // the parser's message quotes the text
  }
}

function isObject(value: unknown): value is Jwk {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
