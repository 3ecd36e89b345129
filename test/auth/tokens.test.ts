import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { KeyRing } from '../../src/auth/keys.js';
import { keyRingFromSecret } from '../../src/auth/read-keys.js';
import { createTokenVerifier, mintToken } from '../../src/auth/tokens.js';
import { algorithms, claims, controls, headers, rawPayload, spellings } from './bad-tokens.js';
import { audience, forge, forgeText, issuer, now, secret } from './forge.js';

const clock = () => now;
const verifier = createTokenVerifier({ keys: keyRingFromSecret(secret), issuer, audience, clock });
const verify = (token: string) => verifier.verify(token);
const granted = { user: 'ada', org: 'acme', expiresAtMs: (now + 60) * 1000, issuedAtMs: now * 1000 };

const good = forge();
describe.each(['sub', 'org'])('%s', (claim) => {
  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['null', null],
    ['a fraction', 7.5],
    ['true', true],
    ['an object', { id: 'ada' }],
    ['an empty list', []],
    ['a list of lists', [['ada']]],
    ['a list of several', ['ada', 'bob']],
    ['over 256 bytes', 'x'.repeat(257)],
    ['over 256 bytes in fewer characters', 'é'.repeat(129)],
    ['with a newline', 'a\nb'],
    ['with a NUL', 'a\u0000'],
    ['with a C1 control', 'a\u0085'],
    ['with half a surrogate pair', 'a\ud800'],
  ])('refused: %s', (_, value) => {
    expect(verify(forge({ [claim]: value }))).toMatchObject({ ok: false, reason: 'bad_claim' });
  });

  it('is accepted at 256 bytes', () => {
    expect(verify(forge({ [claim]: 'é'.repeat(128) }))).toMatchObject({ ok: true });
  });
});

describe.each([
  ['the algorithm', algorithms],
  ['the header', headers],
  ['the form', spellings],
  ['the claims', claims],
])('a token is refused for %s', (_, rows) => {
  beforeEach(() => {
    // The control: without its fault, each token passes.
    for (const token of controls) expect(verify(token)).toEqual({ ok: true, claims: granted });
  });

  it.each(rows)('%s', (_name, token, reason) => {
    expect(verify(token)).toMatchObject({ ok: false, reason });
    expect(verify(token)).toMatchObject({ ok: false, reason }); // nothing was remembered in its favour
  });
});

describe('a token is accepted', () => {
  it.each([
    ['without typ', forge({}, { typ: undefined })],
    ['with typ in lower case', forge({}, { typ: 'jwt' })],
    ['with b64 true', forge({}, { b64: true })],
    [
      'with a jku, x5u and jwk, which are ignored',
      forge({}, { jku: 'http://127.0.0.1:1/', x5u: 'http://127.0.0.1:1/', jwk: { kty: 'oct', k: 'AA' } }),
    ],
    ['for several audiences', forge({ aud: ['other', audience] })],
    ['with typ at+jwt', forge({}, { typ: 'at+jwt' })],
    ['with typ in full', forge({}, { typ: 'application/AT+JWT' })],
    ['from a clock a minute ahead', forge({ iat: now + 60, nbf: now + 60 })],
    ['without iat', forge({ iat: undefined })],
    ['with times that are no times', forge({ iat: null, nbf: '0' })],
    ['with a kid, where the one key has none', forge({}, { kid: 'k/1+2=' })],
    ['with a kid of base64 that looks like a path, likewise', forge({}, { kid: '/x8f/Qa1=' })],
    ['with an empty kid, likewise', forge({}, { kid: '' })],
    ['with an org in a list', forge({ org: ['acme'] })],
    ['with a name of null', forge({ name: null })],
    ['with a name that is an object', forge({ name: {} })],
    ['with a name that nobody can print', forge({ name: 'a\u001b[31m' })],
    ['with a name that is too long', forge({ name: 'x'.repeat(300) })],
    ['with a jti that is a number', forge({ jti: 7 })],
    ['with an empty jti', forge({ jti: '' })],
    ['with claims of others', forge({ scope: 'x', constructor: 1 })],
    ['with an empty name, which is none', forge({ name: '' })],
  ])('%s', (_, token) => {
    const { issuedAtMs: _iat, ...who } = granted;
    expect(verify(token)).toMatchObject({ ok: true, claims: who });
  });

  it.each([
    ['without iat', { iat: undefined }, undefined],
    ['with an iat that is no time', { iat: 'now' }, undefined],
    ['with a fraction of a second', { iat: now - 1.5 }, now * 1000 - 1500],
  ])('tells when it was issued: %s', (_, claims, issuedAtMs) => {
    const verdict = verify(forge(claims));
    expect(verdict.ok && verdict.claims.issuedAtMs).toBe(issuedAtMs);
  });

  it('with a jti that is long, as its hash', () => {
    const verdict = verify(forge({ jti: 'j'.repeat(129) }));
    expect(verdict.ok && verdict.claims.jti).toMatch(/^[0-9a-f]{64}$/);
  });

  it('with whole numbers for the user and the org, which are their digits', () => {
    const claims = { ...granted, user: '7', org: '42' };
    expect(verify(forge({ sub: 7, org: 42 }))).toEqual({ ok: true, claims });
  });

  it('with its name, its jti and a fraction of a second', () => {
    expect(verify(forge({ name: 'Ada', jti: 'j1', exp: now + 1.5 }))).toEqual({
      ok: true,
      claims: { ...granted, expiresAtMs: now * 1000 + 1500, name: 'Ada', jti: 'j1' },
    });
  });
});

it.each([
  ['as long as it may', { iat: now, exp: now + 600 }, true],
  ['a second longer', { iat: now, exp: now + 601 }, false],
  [
    'longer than from now, but issued early enough to have lived too long',
    { iat: now - 550, exp: now + 60 },
    false,
  ],
  ['longer, without telling when it was issued', { iat: undefined, exp: now + 601 }, false],
  ['not longer, without telling when it was issued', { iat: undefined, exp: now + 600 }, true],
])('a token that lives %s', (_, claims, isGood) => {
  const limited = createTokenVerifier({
    keys: keyRingFromSecret(secret),
    issuer,
    audience,
    clock,
    lifeMaxMs: 600_000,
  });
  expect(limited.verify(forge(claims)).ok).toBe(isGood);
});

it('a public RSA key does not serve as an HMAC secret', () => {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = { kid: 'r', algorithm: 'RS256', key: pair.publicKey, signingKey: pair.privateKey } as const;
  const rsa = createTokenVerifier({ keys: new KeyRing([key]), issuer, audience });
  const who = { user: 'ada', org: 'acme', issuer, audience, expiresInSeconds: 60 };
  expect(rsa.verify(mintToken({ key, ...who }))).toMatchObject({ ok: true });
  const spki = { type: 'spki' } as const;
  const pem = pair.publicKey.export({ ...spki, format: 'pem' });
  const der = pair.publicKey.export({ ...spki, format: 'der' });
  for (const stolen of [pem, der]) {
    const exp = Math.floor(Date.now() / 1000) + 60;
    for (const alg of ['HS256', 'RS256']) {
      const reason = alg === 'HS256' ? 'bad_algorithm' : 'bad_signature';
      const forged = forge({ exp, iat: undefined }, { alg, kid: 'r' }, stolen);
      expect(rsa.verify(forged)).toMatchObject({ ok: false, reason });
    }
  }
});

it('a client token is no admin token, and the other way round', () => {
  const keys = keyRingFromSecret(secret);
  const admin = createTokenVerifier({ keys, issuer, audience: 'soleseat-admin', clock });
  const adminToken = forge({ aud: 'soleseat-admin' });
  expect(admin.verify(adminToken)).toMatchObject({ ok: true });
  expect(admin.verify(good)).toMatchObject({ ok: false, reason: 'bad_audience' });
  expect(verify(adminToken)).toMatchObject({ ok: false, reason: 'bad_audience' });
});

it('a token that was accepted is refused once it ends', () => {
  let seconds = now;
  const aging = createTokenVerifier({
    keys: keyRingFromSecret(secret),
    issuer,
    audience,
    clock: () => seconds,
  });
  expect(aging.verify(good)).toMatchObject({ ok: true });
  seconds = now + 60;
  expect(aging.verify(good)).toMatchObject({ ok: false, reason: 'expired' });
  seconds = Number.NaN;
  expect(aging.verify(good)).toMatchObject({ ok: false });
});

it('more headers than are remembered change no answer', () => {
  for (let n = 0; n < 600; n++) expect(verify(forge({}, { n }))).toMatchObject({ ok: true });
  expect(verify(good)).toEqual({ ok: true, claims: granted });
});

it('an empty issuer or audience is refused at creation', () => {
  const keys = keyRingFromSecret(secret);
  expect(() => createTokenVerifier({ keys, issuer, audience })).not.toThrow();
  expect(() => createTokenVerifier({ keys, issuer: '', audience })).toThrow(/issuer/);
  expect(() => createTokenVerifier({ keys, issuer, audience: '' })).toThrow(/audience/);
});

it('no input makes the verifier throw or accept', () => {
  const jsonText = fc.json({ maxDepth: 2 });
  const forged = fc.tuple(jsonText, jsonText).map(([h, b]) => forgeText(h, b));
  const signedBody = jsonText.map(rawPayload);
  fc.assert(
    fc.property(fc.oneof(fc.string(), forged, signedBody), (token) => !verify(token).ok),
    { numRuns: 2000 },
  );
  // A caller outside TypeScript may pass anything.
  for (const odd of [null, undefined, 7, {}, [good]] as unknown as string[])
    expect(verify(odd).ok).toBe(false);
});
