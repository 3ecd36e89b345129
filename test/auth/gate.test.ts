import { beforeEach, expect, it } from 'vitest';
import { TokenGate } from '../../src/auth/gate.js';
import { keyRingFromJwks, keyRingFromSecret } from '../../src/auth/read-keys.js';
import { type ClientClaims, createTokenVerifier } from '../../src/auth/tokens.js';
import type { Log } from '../../src/base/log.js';
import { createMetrics } from '../../src/base/metrics.js';
import { audience, base64url, forge, issuer, now, secret } from './forge.js';

let lines: Record<string, unknown>[] = [];
let metrics = createMetrics();
let nowMs = 0;
let gate: TokenGate<ClientClaims>;

beforeEach(() => {
  lines = [];
  metrics = createMetrics();
  const verifier = createTokenVerifier({
    keys: keyRingFromSecret(secret),
    issuer,
    audience,
    clock: () => now,
  });
  const log = { info: (fields: Record<string, unknown>, msg: string) => lines.push({ ...fields, msg }) };
  gate = new TokenGate(verifier, { log: log as unknown as Log, metrics, clock: () => nowMs });
});

const failures = async () =>
  (await metrics.tokenFailures.get()).values
    .filter(({ value }) => value > 0)
    .map(({ labels }) => labels.reason);

it.each([
  ['iss', 'bad_issuer', { iss: 'somebody' }],
  ['aud', 'bad_audience', { aud: 'something' }],
  ['exp', 'expired', { exp: now - 1 }],
  ['exp', 'bad_claim', { exp: 'tomorrow' }],
  ['nbf', 'not_yet_valid', { nbf: now + 600 }],
  ['iat', 'not_yet_valid', { iat: now + 600 }],
  ['sub', 'bad_claim', { sub: '' }],
  ['org', 'bad_claim', { org: ['acme', 'other'] }],
])(
  'names the claim at fault, %s, counts once, and logs neither token nor value',
  async (claim, reason, claims) => {
    const token = forge(claims);
    expect(gate.judge(token, 'hello')).toMatchObject({ ok: false, reason });
    const line = {
      reason,
      door: 'hello',
      claim,
      problem: expect.stringMatching(/^[a-z]/),
      msg: 'token not accepted',
    };
    expect(lines).toEqual([expect.objectContaining(line)]);
    for (const value of Object.values(claims))
      expect(JSON.stringify(lines)).not.toContain(JSON.stringify(value));
    expect(await failures()).toEqual([reason]);
  },
);

it('tells of a token that is missing, forged, or of somebody else', async () => {
  expect(gate.judge(undefined, 'hello')).toEqual({ ok: false, reason: 'missing' });
  expect(gate.judge(`${forge({})}x`, 'handshake').ok).toBe(false);
  expect(gate.judge(forge({}), 'refresh', () => false)).toEqual({ ok: false, reason: 'other_subject' });
  expect(lines.map(({ door }) => door)).toEqual(['hello', 'handshake', 'refresh']);
  expect((await failures()).length).toBe(3);
});

it('lets a good one in, without a word', async () => {
  expect(gate.judge(forge({}), 'handshake')).toMatchObject({ ok: true, claims: { org: 'acme' } });
  expect([gate.isGood(forge({})), gate.isGood('x')]).toEqual([true, false]);
  expect([lines, await failures()]).toEqual([[], []]);
});

it('says how long to wait for a token that begins soon, and not to wait for one that begins in a day', () => {
  expect(gate.judge(forge({ nbf: now + 90 }), 'hello')).toMatchObject({ retryAfterMs: 30_000 });
  expect(gate.judge(forge({ iat: now + 60.5 }), 'hello')).toMatchObject({ retryAfterMs: 500 });
  expect(gate.judge(forge({ nbf: now + 90_000 }), 'hello')).not.toHaveProperty('retryAfterMs');
});

it('spaces those whose key is not known, the longer it has been unknown', () => {
  const named = keyRingFromJwks(
    JSON.stringify({ keys: [{ kty: 'oct', kid: 'a', k: base64url('k'.repeat(32)) }] }),
  );
  const verifier = createTokenVerifier({ keys: named, issuer, audience, clock: () => now });
  gate = new TokenGate(verifier, { log: { info() {} } as unknown as Log, metrics, clock: () => nowMs });
  const waitFor = (kid: string, claims: object = {}) => gate.judge(forge(claims, { kid }), 'hello');
  nowMs = 1000;
  expect(waitFor('dead')).toEqual({ ok: false, reason: 'unknown_kid', retryAfterMs: 2000 });
  nowMs += 60_000;
  expect(waitFor('dead')).toMatchObject({ retryAfterMs: 15_000 });
  expect(waitFor('other')).toMatchObject({ retryAfterMs: 2000 });
  nowMs += 10 * 3_600_000;
  expect(waitFor('dead')).toMatchObject({ retryAfterMs: 900_000 });
  // Nobody waits for the key of a token that is of somebody else, or has ended.
  expect(waitFor('dead', { iss: 'somebody' })).toEqual({ ok: false, reason: 'bad_issuer' });
  expect(waitFor('dead', { exp: now - 1 })).toEqual({ ok: false, reason: 'expired' });
  // Ids that somebody makes up push out the oldest, and take no more room.
  for (let n = 0; n < 2000; n++) waitFor(`made-up-${n}`);
  expect(waitFor('dead')).toMatchObject({ retryAfterMs: 2000 });
});
