import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeySet } from '../../src/auth/key-set.js';
import { jwksAt, keysOfIssuer } from '../../src/auth/remote-keys.js';
import { createTokenVerifier, mintToken } from '../../src/auth/tokens.js';
import type { Log } from '../../src/base/log.js';
import { createMetrics } from '../../src/base/metrics.js';
import { eventually } from '../support/eventually.js';

const keyNamed = (kid: string) => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid };
  const key = { kid, algorithm: 'ES256', key: pair.publicKey, signingKey: pair.privateKey } as const;
  return { jwk, key };
};
const [first, second] = [keyNamed('first'), keyNamed('second')];

/** A provider of keys that can be made to say anything, or nothing. */
let server: Server;
let origin = '';
let asked: string[] = [];
let answer: (url: string) => string | null;
let warnings: unknown[] = [];
let nowMs = 0;
const open: KeySet[] = [];

beforeEach(async () => {
  asked = [];
  warnings = [];
  nowMs = 0;
  answer = () => JSON.stringify({ keys: [first.jwk] });
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const text = answer(request.url ?? '');
    response.writeHead(text === null ? 500 : 200, { 'Content-Type': 'application/json' });
    response.end(text ?? '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  for (const set of open.splice(0)) set.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function setOf(read: ReturnType<typeof jwksAt>): KeySet {
  const log = { info() {}, warn: (...line: unknown[]) => warnings.push(line) } as unknown as Log;
  const parts = { audience: 'client', setting: 'SOLESEAT_JWKS_URL', initial: null, maxAgeMs: null } as const;
  const set = new KeySet({ ...parts, read, clock: () => nowMs, log, metrics: createMetrics() });
  open.push(set);
  return set;
}

const tokenOf = ({ key }: typeof first, issuer = 'me') =>
  mintToken({ key, user: 'ada', org: 'acme', issuer, audience: 'soleseat', expiresInSeconds: 60 });
const verifierOf = (keys: KeySet) => createTokenVerifier({ keys, issuer: 'me', audience: 'soleseat' });

describe('the keys at a URL', () => {
  it('are read again when a token names one that is not there: one request for many, and not twice in 30 s', async () => {
    const set = setOf(jwksAt(`${origin}/jwks`));
    const verifier = verifierOf(set);
    expect(verifier.verify(tokenOf(first))).toMatchObject({ reason: 'unknown_kid' });
    await set.reload();
    expect(verifier.verify(tokenOf(first))).toMatchObject({ ok: true });
    answer = () => JSON.stringify({ keys: [second.jwk] });
    for (let n = 0; n < 1000; n++) expect(verifier.verify(tokenOf(second)).ok).toBe(false);
    await eventually(() => verifier.verify(tokenOf(second)).ok);
    expect(asked).toHaveLength(2);
    // What the provider has withdrawn is good no more.
    expect(verifier.verify(tokenOf(first))).toMatchObject({ reason: 'unknown_kid' });
    nowMs = 29_999;
    expect(verifier.verify(tokenOf(first)).ok).toBe(false);
    // Whatever was sent before this has been heard by then.
    await fetch(`${origin}/after`);
    expect(asked).toEqual(['/jwks', '/jwks', '/after']);
    nowMs = 30_001;
    verifier.verify(tokenOf(first));
    await eventually(() => asked.length === 4);
    expect(asked.at(-1)).toBe('/jwks');
  });

  it('are not read for tokens of somebody else, or without any name', async () => {
    const set = setOf(jwksAt(`${origin}/jwks`));
    await set.reload();
    const verifier = verifierOf(set);
    expect(verifier.verify(tokenOf(second, 'somebody else'))).toMatchObject({ reason: 'bad_issuer' });
    await set.reload();
    expect(asked).toHaveLength(2);
  });

  it.each([
    ['nothing', () => null],
    ['what is not JSON', () => '<html>'],
    ['no set of keys', () => '{"error":"x"}'],
    ['keys that cannot be used', () => '{"keys":[{"kty":"OKP","crv":"Ed448"}]}'],
    ['a secret that everybody can read', () => JSON.stringify({ keys: [{ kty: 'oct', k: 'A'.repeat(64) }] })],
    ['a flood', () => JSON.stringify({ keys: [], pad: 'x'.repeat(2_000_000) })],
  ])('stay as they were where the source gives %s, and the log says so once', async (_, nonsense) => {
    const set = setOf(jwksAt(`${origin}/jwks`));
    await set.reload();
    answer = nonsense;
    expect(await set.reload()).toBe(false);
    expect(await set.reload()).toBe(false);
    expect(verifierOf(set).verify(tokenOf(first)).ok).toBe(true);
    expect(warnings).toHaveLength(1);
    answer = () => JSON.stringify({ keys: [first.jwk, { kty: 'OKP', crv: 'Ed448', kid: 'odd' }] });
    expect(await set.reload()).toBe(true);
    expect(JSON.stringify(warnings[1])).toContain('key 2');
  });

  it('that are for other purposes are told once, however often the set is read, and again when they change', async () => {
    const set = setOf(jwksAt(`${origin}/jwks`));
    answer = () => JSON.stringify({ keys: [first.jwk, { ...second.jwk, use: 'enc' }] });
    for (let n = 0; n < 3; n++) expect(await set.reload()).toBe(true);
    expect(warnings).toMatchObject([[{ key: 'key 2 has a use other than "sig"' }, 'a key was left out']]);
    answer = () => JSON.stringify({ keys: [first.jwk, { ...second.jwk, key_ops: ['encrypt'] }] });
    expect(await set.reload()).toBe(true);
    expect(warnings).toHaveLength(2);
  });

  it('are asked for until they can be had', async () => {
    answer = () => null;
    const set = setOf(jwksAt(`${origin}/jwks`));
    set.start();
    await eventually(() => asked.length === 1);
    answer = () => JSON.stringify({ keys: [first.jwk] });
    await eventually(() => verifierOf(set).verify(tokenOf(first)).ok);
  });
});

describe('the keys of an OpenID provider', () => {
  const document = (issuer = origin, jwks_uri: string | undefined = `${origin}/keys`) =>
    JSON.stringify({ issuer, jwks_uri });

  it('are found by its discovery document, with its own spelling of its name', async () => {
    answer = (url) => (url === '/keys' ? JSON.stringify({ keys: [first.jwk] }) : document(`${origin}/`));
    const set = setOf(keysOfIssuer(origin));
    expect(await set.reload()).toBe(true);
    expect(asked).toEqual(['/.well-known/openid-configuration', '/keys']);
    expect(set.issuer).toBe(`${origin}/`);
    expect(verifierOf(set).verify(tokenOf(first, `${origin}/`)).ok).toBe(true);
    expect(verifierOf(set).verify(tokenOf(first, 'me'))).toMatchObject({ reason: 'bad_issuer' });
  });

  it('of a provider that is away: its tokens wait, however its name is spelled', () => {
    const set = setOf(keysOfIssuer(origin));
    const verifier = createTokenVerifier({
      keys: set,
      issuer: 'https://login.example',
      audience: 'soleseat',
    });
    expect(verifier.verify(tokenOf(first, 'https://login.example/'))).toMatchObject({
      reason: 'unknown_kid',
    });
    expect(verifier.verify(tokenOf(first, 'https://login.example'))).toMatchObject({ reason: 'unknown_kid' });
    expect(verifier.verify(tokenOf(first, 'https://other.example'))).toMatchObject({ reason: 'bad_issuer' });
  });

  it.each([
    ['another name', () => document('https://somebody.example')],
    ['no keys', () => JSON.stringify({ issuer: origin })],
    ['keys in the clear', () => document(origin, 'http://192.0.2.1/keys')],
  ])('are not taken from a document with %s', async (_, text) => {
    answer = text;
    const set = setOf(keysOfIssuer(origin));
    expect(await set.reload()).toBe(false);
    expect(warnings).toHaveLength(1);
  });
});
