import { beforeEach, expect, it } from 'vitest';
import { TokenGate } from '../../src/auth/gate.js';
import { keyRingFromSecret } from '../../src/auth/keys.js';
import { type ClientClaims, createTokenVerifier } from '../../src/auth/tokens.js';
import type { Log } from '../../src/base/log.js';
import { createMetrics } from '../../src/base/metrics.js';
import { audience, forge, issuer, now, secret } from './forge.js';

let lines: Record<string, unknown>[] = [];
let metrics = createMetrics();
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
  gate = new TokenGate(verifier, { log: log as unknown as Log, metrics });
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
  ['iat', 'bad_claim', { iat: 'now' }],
  ['sub', 'bad_claim', { sub: '' }],
  ['org', 'bad_claim', { org: ['acme'] }],
  ['jti', 'bad_claim', { jti: 7 }],
])(
  'names the claim at fault, %s, counts once, and logs neither token nor value',
  async (claim, reason, claims) => {
    const token = forge(claims);
    expect(gate.judge(token, 'hello')).toMatchObject({ ok: false, reason });
    expect(lines).toEqual([{ reason, door: 'hello', claim, msg: 'token not accepted' }]);
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
