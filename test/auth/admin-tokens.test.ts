import { describe, expect, it } from 'vitest';
import { keyRingFromSecret } from '../../src/auth/read-keys.js';
import { createAdminTokenVerifier, createTokenVerifier } from '../../src/auth/tokens.js';
import { audience, forge, issuer, now, secret } from './forge.js';

const options = { keys: keyRingFromSecret(secret), issuer, clock: () => now };
const verifier = createAdminTokenVerifier({ ...options, audience: 'soleseat-admin' });
const admin = { aud: 'soleseat-admin', role: 'operator' };
const verify = (claims: object) => verifier.verify(forge({ ...admin, ...claims }));

describe('an admin token', () => {
  it('speaks for a subject with a role, in one org or in all of them', () => {
    const expiresAtMs = (now + 60) * 1000;
    const claims = { subject: 'ada', role: 'operator', org: 'acme', expiresAtMs };
    expect(verify({})).toEqual({ ok: true, claims });
    expect(verify({ org: '*' })).toEqual({ ok: true, claims: { ...claims, org: null } });
    expect(verify({ org: '*', role: 'owner' })).toMatchObject({ ok: true, claims: { role: 'owner' } });
  });

  it('is no client token, and a client token with a role is no admin token', () => {
    const clients = createTokenVerifier({ ...options, audience });
    expect(clients.verify(forge(admin))).toMatchObject({ ok: false, reason: 'bad_audience' });
    expect(verify({ aud: audience })).toMatchObject({ ok: false, reason: 'bad_audience' });
  });

  it.each([
    ['no role', { role: undefined }],
    ['an unknown role', { role: 'root' }],
    ['a role in capitals', { role: 'ADMIN' }],
    ['several roles', { role: ['admin'] }],
    ['a role of the prototype', { role: 'constructor' }],
    ['no org', { org: undefined }],
    ['an owner of one org', { role: 'owner', org: 'acme' }],
    ['several orgs', { org: ['acme'] }],
    ['no subject', { sub: undefined }],
  ])('is refused with %s', (_, claims) => {
    expect(verify(claims)).toMatchObject({ ok: false, reason: 'bad_claim' });
  });

  it('is refused from its end on, and with another issuer or key', () => {
    expect(verify({ exp: now })).toMatchObject({ ok: false, reason: 'expired' });
    expect(verify({ iss: 'other' })).toMatchObject({ ok: false, reason: 'bad_issuer' });
    const forged = forge(admin, {}, 'another secret of more than 32 bytes');
    expect(verifier.verify(forged)).toMatchObject({ ok: false, reason: 'bad_signature' });
  });
});
