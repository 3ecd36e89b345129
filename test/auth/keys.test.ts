import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { KeyError, keyRingFromJwks, keyRingFromSecret } from '../../src/auth/keys.js';
import { createTokenVerifier, mintToken } from '../../src/auth/tokens.js';
import { audience, base64url, issuer } from './forge.js';

const pairs = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  shortRsa: generateKeyPairSync('rsa', { modulusLength: 1024 }),
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ed: generateKeyPairSync('ed25519'),
};
const jwk = (of: keyof typeof pairs, half: 'publicKey' | 'privateKey' = 'publicKey') =>
  pairs[of][half].export({ format: 'jwk' });
const oct = { kty: 'oct', k: base64url('k'.repeat(32)) };
const ring = (...keys: unknown[]) => keyRingFromJwks(JSON.stringify({ keys }));
const who = { user: 'ada', org: 'acme', issuer, audience, expiresInSeconds: 60 };

describe('a ring from one secret', () => {
  it('has one HS256 key without kid, made once', () => {
    const keys = keyRingFromSecret('x'.repeat(32));
    expect(keys.find(null)).toMatchObject({ kid: null, algorithm: 'HS256' });
    expect(keys.find(null)).toBe(keys.keys[0]);
    expect(keys.find('any')).toBeUndefined();
  });

  it('counts bytes, not characters', () => {
    expect(() => keyRingFromSecret('é'.repeat(16))).not.toThrow();
    expect(() => keyRingFromSecret('x'.repeat(31))).toThrow(KeyError);
    expect(() => keyRingFromSecret('')).toThrow(KeyError);
  });
});

describe('a ring from a JWKS', () => {
  const keys = ring(
    { ...oct, kid: 'h', alg: 'HS256' },
    { ...jwk('rsa', 'privateKey'), kid: 'r', use: 'sig' },
    { ...jwk('p256', 'privateKey'), kid: 'e' },
  );

  it.each([
    ['h', 'HS256'],
    ['r', 'RS256'],
    ['e', 'ES256'],
  ])('verifies what its key %s signs by %s', (kid, algorithm) => {
    const key = keys.find(kid);
    if (key === undefined) throw new Error('no such key');
    expect(key.algorithm).toBe(algorithm);
    const token = mintToken({ key, ...who, name: 'Ada', jti: 'j1' });
    const verdict = createTokenVerifier({ keys, issuer, audience }).verify(token);
    expect(verdict).toMatchObject({ ok: true, claims: { user: 'ada', org: 'acme', name: 'Ada', jti: 'j1' } });
    const [head, body, signature = ''] = token.split('.');
    const altered = `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
    const refused = { ok: false, reason: 'bad_signature' };
    expect(createTokenVerifier({ keys, issuer, audience }).verify(altered)).toEqual(refused);
    const short = `${head}.${body}.${signature.slice(0, 40)}`;
    expect(createTokenVerifier({ keys, issuer, audience }).verify(short)).toEqual(refused);
  });

  it('keeps public keys for verifying only', () => {
    const key = ring({ ...jwk('rsa'), kid: 'r' }).keys[0];
    if (key === undefined) throw new Error('no such key');
    expect(key.signingKey).toBeNull();
    expect(() => mintToken({ key, ...who })).toThrow(KeyError);
    expect(keys.find('r')?.key.type).toBe('public');
    expect(keys.find('r')?.signingKey?.type).toBe('private');
  });

  it('leaves out encryption keys', () => {
    expect(ring({ ...jwk('rsa'), use: 'enc', alg: 'RSA-OAEP', kid: 'x' }, oct).keys).toHaveLength(1);
  });

  it('does not find prototype names', () => {
    for (const name of ['__proto__', 'constructor', 'toString']) expect(keys.find(name)).toBeUndefined();
    expect(keys.find(null)).toBeUndefined();
  });

  it.each([
    ['no key', []],
    ['only an encryption key', [{ ...oct, use: 'enc' }]],
    ['an entry that is no object', [null]],
    ['an unknown kty', [jwk('ed')]],
    ['a kty that is a prototype name', [{ ...oct, kty: '__proto__' }]],
    ['alg none', [{ ...oct, alg: 'none' }]],
    ['an HMAC alg on an RSA key', [{ ...jwk('rsa'), alg: 'HS256' }]],
    ['an RSA alg on a secret', [{ ...oct, alg: 'RS256' }]],
    ['an RSA key that also has a secret', [{ ...jwk('rsa'), k: oct.k }]],
    ['a secret that also has a modulus', [{ ...oct, n: jwk('rsa').n }]],
    ['RS512', [{ ...jwk('rsa'), alg: 'RS512' }]],
    ['RSA under 2048 bits', [jwk('shortRsa')]],
    ['an RSA exponent of 1', [{ ...jwk('rsa'), e: 'AQ' }]],
    ['RSA without a modulus', [{ kty: 'RSA', e: 'AQAB' }]],
    ['a curve other than P-256', [jwk('p384')]],
    ['a point off the curve', [{ ...jwk('p256'), y: jwk('p256').x }]],
    ['a private half of another pair', [{ ...jwk('p256', 'privateKey'), d: base64url('d'.repeat(32)) }]],
    ['a secret under 32 bytes', [{ ...oct, k: base64url('k'.repeat(31)) }]],
    ['a secret that is not base64url', [{ ...oct, k: `${oct.k}=` }]],
    ['a secret that is missing', [{ kty: 'oct' }]],
    ['a use that is unknown', [{ ...oct, use: 'tls' }]],
    ['a kid that is empty', [{ ...oct, kid: '' }]],
    ['a kid that is a number', [{ ...oct, kid: 1 }]],
    [
      'two keys of one kid',
      [
        { ...oct, kid: 'a' },
        { ...jwk('rsa'), kid: 'a' },
      ],
    ],
    ['a key without kid among several', [{ ...oct, kid: 'a' }, jwk('rsa')]],
    ['two keys without kid', [oct, jwk('rsa')]],
  ])('refuses %s', (_, entries) => {
    expect(ring(oct).keys).toHaveLength(1); // the control
    expect(() => ring(...entries)).toThrow(KeyError);
  });

  it.each(['', 'null', '[]', '{}', '{"keys":{}}', '{"keys":'])('refuses the text %j', (text) => {
    expect(() => keyRingFromJwks(text)).toThrow(KeyError);
  });

  it('never shows key material in an error', () => {
    const sensitive = 'S3NSITIVE';
    const texts = [
      `{"keys":[{"kty":"oct","k":"${sensitive}"}]}`,
      `{"keys":[{"kty":"oct","k":"${sensitive}" "`,
      `${sensitive}`,
      JSON.stringify({ keys: [{ ...jwk('p256'), d: sensitive }] }),
      JSON.stringify({ keys: [{ ...jwk('rsa'), d: [sensitive] }] }),
      JSON.stringify({ keys: [{ kty: sensitive, alg: sensitive }] }),
    ];
    for (const text of texts) {
      const error = thrownBy(() => keyRingFromJwks(text));
      expect(error).toBeInstanceOf(KeyError);
      expect(`${(error as KeyError).stack} ${String((error as KeyError).cause)}`).not.toContain(sensitive);
    }
    expect(String(thrownBy(() => keyRingFromSecret(sensitive)))).not.toContain(sensitive);
  });
});

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}
