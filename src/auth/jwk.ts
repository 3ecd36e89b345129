import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type JsonWebKey,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { type KeyAlgorithm, KeyError, type VerificationKey } from './keys.js';

/** RFC 7518 section 3.2: an HS256 key is at least as long as the hash. */
const minSecretBytes = 32;
/** RFC 7518 section 3.3. */
const minRsaBits = 2048;

export type Jwk = Readonly<Record<string, unknown>>;
type KeyPart = Pick<VerificationKey, 'key' | 'signingKey'>;

/** What each kind of key can do; the first algorithm is meant where `alg` says nothing (RFC 7517 section 4.4). */
interface KeyKind {
  readonly algorithms: readonly [KeyAlgorithm, ...KeyAlgorithm[]];
  /** Only the members that make the key; `d` and its like are the private half. */
  readonly members: readonly string[];
  readonly curve?: string;
  readonly read: (jwk: Jwk, kind: KeyKind) => KeyPart;
}

const kinds: ReadonlyMap<unknown, KeyKind> = new Map<unknown, KeyKind>([
  ['oct', { algorithms: ['HS256'], members: ['k'], read: readSecret }],
  ['RSA', { algorithms: ['RS256', 'PS256'], members: ['n', 'e'], read: readRsa }],
  ['EC', { algorithms: ['ES256'], members: ['crv', 'x', 'y'], curve: 'P-256', read: readPair }],
  ['OKP', { algorithms: ['EdDSA'], members: ['crv', 'x'], curve: 'Ed25519', read: readPair }],
]);

const pairMembers = ['n', 'e', 'crv', 'x', 'y', 'd'];

/** RFC 9864 names EdDSA with Ed25519 by its curve. */
export function algorithmNamed(alg: unknown): unknown {
  return alg === 'Ed25519' ? 'EdDSA' : alg;
}

/** Reads one key (RFC 7517 section 4). Throws KeyError, which says why it cannot be used. */
export function keyFromJwk(jwk: unknown): VerificationKey {
  if (!isObject(jwk)) throw new KeyError('is not an object');
  const { kid, kty, use, key_ops: operations } = jwk;
  if (kid !== undefined && kid !== null && (typeof kid !== 'string' || kid === ''))
    throw new KeyError('has a kid that is not a non-empty string');
  if (use !== undefined && use !== null && use !== 'sig') throw new KeyError('has a use other than "sig"');
  if (operations !== undefined && operations !== null && !mayVerify(operations))
    throw new KeyError('has key_ops without "verify"');
  const kind = kinds.get(kty);
  if (kind === undefined) throw new KeyError('has a kty other than oct, RSA, EC and OKP');
  // A secret and a public key in one entry invite the confusion of RFC 8725 section 2.1.
  if ((kty === 'oct' ? pairMembers : ['k']).some((member) => Object.hasOwn(jwk, member)))
    throw new KeyError('mixes a secret with a key pair');
  if (kind.curve !== undefined && jwk.crv !== kind.curve)
    throw new KeyError(`has a curve other than ${kind.curve}`);
  const alg = algorithmNamed(jwk.alg ?? kind.algorithms[0]);
  const algorithm = kind.algorithms.find((one) => one === alg);
  if (algorithm === undefined) throw new KeyError(`has an alg other than ${kind.algorithms.join(' and ')}`);
  return { kid: typeof kid === 'string' ? kid : null, algorithm, ...kind.read(jwk, kind) };
}

/** RFC 7517 section 4.3: who made the key says what it is for. */
function mayVerify(operations: unknown): boolean {
  return Array.isArray(operations) && operations.includes('verify');
}

export function isObject(value: unknown): value is Jwk {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Throws KeyError for one that is too short to resist guessing. */
export function secretKey(bytes: Buffer): KeyObject {
  if (bytes.length < minSecretBytes)
    throw new KeyError(`has ${bytes.length} bytes; HS256 needs ${minSecretBytes}`);
  return createSecretKey(bytes);
}

/** Throws KeyError for an RSA key that is too short, or unfit. */
export function checkRsa(key: KeyObject): void {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < minRsaBits) throw new KeyError(`has ${modulusLength} bits; RSA needs ${minRsaBits}`);
  // With an exponent of 1 every signature is its own message.
  if (publicExponent < 3n || publicExponent % 2n === 0n) throw new KeyError('has an unfit RSA exponent');
}

function readSecret(jwk: Jwk): KeyPart {
  const bytes = Buffer.from(typeof jwk.k === 'string' ? jwk.k : '', 'base64url');
  if (bytes.toString('base64url') !== jwk.k) throw new KeyError('has a k that is not base64url');
  const key = secretKey(bytes);
  return { key, signingKey: key };
}

function readRsa(jwk: Jwk, kind: KeyKind): KeyPart {
  const pair = readPair(jwk, kind);
  checkRsa(pair.key);
  return pair;
}

function readPair(jwk: Jwk, { members }: KeyKind): KeyPart {
  const publicJwk: JsonWebKey = { kty: String(jwk.kty) };
  for (const member of members) publicJwk[member] = jwk[member];
  try {
    const key = createPublicKey({ key: publicJwk, format: 'jwk' });
    const signingKey = Object.hasOwn(jwk, 'd') ? createPrivateKey({ key: { ...jwk }, format: 'jwk' }) : null;
    if (signingKey !== null && !isPair(key, signingKey)) throw new Error('halves of two pairs');
    return { key, signingKey };
  } catch {
    // Node's message may quote the member it dislikes: it is dropped, cause and all.
    throw new KeyError(`is not a valid ${publicJwk.kty} key`);
  }
}

/** Whether the halves belong together: Node takes a private half that does not belong to the public one. */
function isPair(key: KeyObject, signingKey: KeyObject): boolean {
  const probe = Buffer.from('probe');
  const hash = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  return verify(hash, probe, key, sign(hash, probe, signingKey));
}
