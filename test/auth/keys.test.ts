import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { KeyError } from '../../src/auth/keys.js';
import {
  keyRingFromJwks,
  keyRingFromPem,
  keyRingFromSecret,
  keyRingFromText,
} from '../../src/auth/read-keys.js';
import { createTokenVerifier, mintToken } from '../../src/auth/tokens.js';
import { audience, base64url, issuer } from './forge.js';

const pairs = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  shortRsa: generateKeyPairSync('rsa', { modulusLength: 1024 }),
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ed: generateKeyPairSync('ed25519'),
  ed448: generateKeyPairSync('ed448'),
};
const jwk = (of: keyof typeof pairs, half: 'publicKey' | 'privateKey' = 'publicKey') =>
  pairs[of][half].export({ format: 'jwk' });
const oct = { kty: 'oct', k: base64url('k'.repeat(32)) };
const ring = (...keys: unknown[]) => keyRingFromJwks(JSON.stringify({ keys }));
const who = { user: 'ada', org: 'acme', issuer, audience, expiresInSeconds: 60 };

describe('a ring from one secret', () => {
  it('has one HS256 key without kid, made once', () => {
    const keys = keyRingFromSecret('x'.repeat(32));
    expect(keys.find(null, 'HS256')).toEqual([expect.objectContaining({ kid: null, algorithm: 'HS256' })]);
    expect(keys.find(null, 'HS256')[0]).toBe(keys.keys[0]);
    expect(keys.find('any', 'HS256')).toEqual(keys.keys);
    expect(keys.find(null, 'RS256')).toEqual([]);
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
    { ...jwk('rsa', 'privateKey'), kid: 'p', alg: 'PS256' },
    { ...jwk('ed', 'privateKey'), kid: 'd' },
    { ...jwk('ed', 'privateKey'), kid: 'd2', alg: 'Ed25519' },
  );

  it.each([
    ['h', 'HS256'],
    ['r', 'RS256'],
    ['e', 'ES256'],
    ['p', 'PS256'],
    ['d', 'EdDSA'],
    ['d2', 'EdDSA'],
  ])('verifies what its key %s signs by %s', (kid, algorithm) => {
    const key = keys.keys.find((one) => one.kid === kid);
    if (key === undefined) throw new Error('no such key');
    expect(key.algorithm).toBe(algorithm);
    expect(keys.find(kid, key.algorithm)).toEqual([key]);
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
    const [pair] = keys.find('r', 'RS256');
    expect([pair?.key.type, pair?.signingKey?.type]).toEqual(['public', 'private']);
  });

  it.each([
    ['use', 'enc'],
    ['use', 'ENC'],
    ['use', ''],
    ['use', ['sig']],
    ['key_ops', []],
    ['key_ops', ['encrypt']],
    ['key_ops', ['sign']],
    ['key_ops', ['Verify']],
    ['key_ops', [['verify']]],
    ['key_ops', 'verify'],
    ['key_ops', { verify: true }],
    ['key_ops', 1],
    ['key_ops', false],
  ])('leaves out a key of which %s is %j, and says so', (member, value) => {
    for (const key of [jwk('rsa'), jwk('p256', 'privateKey'), oct]) {
      const { keys: kept, skipped } = ring({ ...key, [member]: value }, { ...oct, kid: 'good' });
      expect(kept.map(({ kid }) => kid)).toEqual(['good']);
      expect(skipped).toEqual([expect.stringMatching(/^key 1 has (a use other|key_ops without)/)]);
    }
  });

  it.each([
    ['use', 'sig'],
    ['use', null],
    ['key_ops', null],
    ['key_ops', ['verify']],
    ['key_ops', ['sign', 'verify']],
    ['key_ops', ['verify', 'a later one']],
  ])('takes a key of which %s is %j', (member, value) => {
    expect(ring({ ...jwk('rsa'), [member]: value })).toMatchObject({ keys: [{}], skipped: [] });
  });

  it('does not find prototype names', () => {
    for (const name of ['__proto__', 'constructor', 'toString']) expect(keys.find(name, 'HS256')).toEqual([]);
  });

  it.each([
    ['no key', []],
    ['only an encryption key', [{ ...oct, use: 'enc' }]],
    ['an entry that is no object', [null]],
    ['a curve of another kind of key', [jwk('ed448')]],
    ['an unknown kty', [{ kty: 'AKP', pub: 'AA' }]],
    ['keys that only encrypt', [{ ...jwk('rsa'), key_ops: ['encrypt'] }]],
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
  ])('refuses %s, and among good keys leaves it out with its reason', (_, entries) => {
    expect(ring(oct).keys).toHaveLength(1); // the control
    expect(() => ring(...entries)).toThrow(KeyError);
    const mixed = ring(...entries, { ...jwk('p256'), kid: 'good' });
    expect(mixed.keys.map(({ kid }) => kid)).toEqual(['good']);
    expect(mixed.skipped).toHaveLength(entries.length);
  });

  it('leaves out a second key of one kid, and never has a secret and a pair under one', () => {
    const twice = ring({ ...jwk('rsa'), kid: 'a' }, { ...jwk('rsa'), kid: 'a' });
    expect([twice.keys.length, twice.skipped.length]).toEqual([1, 1]);
    const mixed = ring({ ...jwk('rsa'), kid: 'a' }, { ...oct, kid: 'a' });
    expect(mixed.keys.map(({ algorithm }) => algorithm)).toEqual(['RS256']);
    const both = ring({ ...jwk('rsa'), kid: 'a' }, { ...jwk('rsa'), kid: 'a', alg: 'PS256' });
    expect(both.find('a', 'PS256')).toHaveLength(1);
  });

  it('matches a token without kid by its algorithm', () => {
    const several = ring({ ...oct, kid: 'a' }, jwk('rsa'));
    expect(several.find(null, 'HS256')).toHaveLength(1);
    expect(several.find(null, 'RS256')).toHaveLength(1);
    expect(several.find('unknown', 'RS256')).toHaveLength(1);
    expect(several.find('unknown', 'HS256')).toHaveLength(0);
  });

  it('takes one key that stands alone', () => {
    expect(keyRingFromText(JSON.stringify({ ...jwk('rsa'), kid: 'r' })).keys).toHaveLength(1);
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

describe('a ring from PEM', () => {
  const pem = (of: keyof typeof pairs) => String(pairs[of].publicKey.export({ type: 'spki', format: 'pem' }));
  const secretPem = (of: keyof typeof pairs) =>
    String(pairs[of].privateKey.export({ type: 'pkcs8', format: 'pem' }));

  it.each([
    ['rsa', 'RS256'],
    ['p256', 'ES256'],
    ['ed', 'EdDSA'],
  ] as const)('has the %s key, which signs where its private half is there', (of, algorithm) => {
    expect(keyRingFromText(pem(of)).keys).toMatchObject([{ kid: null, algorithm, signingKey: null }]);
    const [key] = keyRingFromText(`some words before\r\n${secretPem(of).replace(/\n/g, '\r\n')}`).keys;
    if (key === undefined) throw new Error('no key');
    const keys = keyRingFromPem(pem(of));
    const token = mintToken({ key, ...who });
    expect(createTokenVerifier({ keys, issuer, audience }).verify(token)).toMatchObject({ ok: true });
  });

  it('tries each of two keys that nothing tells apart, as while they rotate', () => {
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const keys = keyRingFromPem(pem('rsa') + other.publicKey.export({ type: 'spki', format: 'pem' }));
    const key = {
      kid: null,
      algorithm: 'RS256',
      key: other.publicKey,
      signingKey: other.privateKey,
    } as const;
    const token = mintToken({ key, ...who });
    expect(createTokenVerifier({ keys, issuer, audience }).verify(token)).toMatchObject({ ok: true });
    expect(createTokenVerifier({ keys, issuer, audience }).verify(`${token.slice(0, -4)}AAAA`)).toMatchObject(
      {
        reason: 'bad_signature',
      },
    );
  });

  it('has one key of a private key and its public half', () => {
    expect(keyRingFromPem(pem('p256') + secretPem('p256')).keys).toMatchObject([
      { signingKey: expect.anything() },
    ]);
    expect(keyRingFromPem(secretPem('p256') + pem('p256')).keys).toMatchObject([
      { signingKey: expect.anything() },
    ]);
    expect(keyRingFromPem(pem('p256') + pem('p256')).keys).toHaveLength(1);
  });

  it('leaves out what it cannot use, and refuses when nothing is left', () => {
    const mixed = keyRingFromPem(pem('p384') + pem('p256'));
    expect([mixed.keys.length, mixed.skipped]).toEqual([1, [expect.stringContaining('PEM block 1')]]);
    const encrypted = pairs.rsa.privateKey.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'x',
    });
    for (const text of [pem('p384'), pem('shortRsa'), String(encrypted), '-----BEGIN PUBLIC KEY-----\nAAAA'])
      expect(() => keyRingFromText(text)).toThrow(KeyError);
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
