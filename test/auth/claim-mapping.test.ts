import { describe, expect, it } from 'vitest';
import { type ClaimSettings, claimMapping } from '../../src/auth/claim-mapping.js';
import { keyRingFromSecret } from '../../src/auth/read-keys.js';
import { createTokenVerifier } from '../../src/auth/tokens.js';
import { audience, forge, issuer, now, secret } from './forge.js';

const none: ClaimSettings = {
  claims: 'soleseat',
  claimUser: '',
  claimOrg: '',
  claimName: '',
  defaultOrg: '',
};

function read(settings: Partial<ClaimSettings>, claims: object) {
  const mapping = claimMapping({ ...none, ...settings });
  const keys = keyRingFromSecret(secret);
  const verifier = createTokenVerifier({ keys, issuer, audience, clock: () => now, mapping });
  const verdict = verifier.verify(forge({ sub: undefined, org: undefined, ...claims }));
  if (!verdict.ok) return `${verdict.claim} ${verdict.problem}`;
  const { user, org, name } = verdict.claims;
  return [user, org, ...(name === undefined ? [] : [name])];
}

/** What the claims of each provider's access tokens look like, but for those that all have. */
const keycloak = {
  sub: '5a3d8c1e-1f5e-4b6b-9f3a-0d9f6c1c2b77',
  typ: 'Bearer',
  azp: 'desktop',
  session_state: 'd2f0',
  realm_access: { roles: ['offline_access', 'uma_authorization'] },
  scope: 'openid profile organization email',
  email_verified: true,
  name: 'Ada Lovelace',
  preferred_username: 'ada',
};
const entra = {
  ver: '2.0',
  aio: 'AVQAq/8TAAAA',
  azp: '6e74172b-be56-4843-9ff4-e66a39bb12e3',
  name: 'Ada Lovelace',
  oid: '690222be-ff1a-4d56-abd1-7e4f7d38e474',
  preferred_username: 'ada@example.com',
  scp: 'access_as_user',
  sub: 'HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ',
  tid: '72f988bf-86f1-41af-91ab-2d7cd011db47',
};
const auth0 = {
  sub: 'auth0|507f1f77bcf86cd799439011',
  azp: 'my_client_id',
  scope: 'openid profile',
  org_id: 'org_9ybsU1dN2dKfDkBi',
  'https://example.com/org': 'acme',
  'https://example.com/profile': { display: { name: 'Ada' } },
};
const okta = {
  ver: 1,
  jti: 'AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE',
  cid: '0oabucvyc38HLL1ef0h7',
  uid: '00u1l1zhb5Kjs7aEm0h7',
  scp: ['openid'],
  sub: 'ada@example.com',
};

describe('the tokens of providers, as they are', () => {
  it.each([
    ['keycloak', {}, { ...keycloak, organization: ['acme'] }, [keycloak.sub, 'acme', 'ada']],
    ['keycloak', {}, { ...keycloak, organization: { acme: { id: '42c3' } } }, [keycloak.sub, 'acme', 'ada']],
    ['keycloak', {}, { ...keycloak, organization: [{ acme: {} }] }, [keycloak.sub, 'acme', 'ada']],
    ['keycloak', { defaultOrg: 'home' }, keycloak, [keycloak.sub, 'home', 'ada']],
    ['keycloak', { defaultOrg: 'home' }, { ...keycloak, organization: {} }, [keycloak.sub, 'home', 'ada']],
    [
      'keycloak',
      { claimUser: 'preferred_username' },
      { ...keycloak, organization: ['x'] },
      ['ada', 'x', 'ada'],
    ],
    ['entra', {}, entra, [entra.oid, entra.tid, 'Ada Lovelace']],
    ['entra', { claimUser: 'preferred_username' }, entra, ['ada@example.com', entra.tid, 'Ada Lovelace']],
    ['auth0', {}, auth0, [auth0.sub, 'org_9ybsU1dN2dKfDkBi']],
    ['auth0', { claimOrg: 'https://example.com/org' }, auth0, [auth0.sub, 'acme']],
    [
      'auth0',
      { claimName: 'https://example.com/profile.display.name' },
      auth0,
      [auth0.sub, auth0.org_id, 'Ada'],
    ],
    ['okta', { defaultOrg: 'acme' }, okta, [okta.uid, 'acme', okta.sub]],
    ['okta', { defaultOrg: 'acme' }, { ...okta, uid: undefined }, [okta.sub, 'acme', okta.sub]],
    ['okta', { claimOrg: 'groups' }, { ...okta, groups: ['acme'] }, [okta.uid, 'acme', okta.sub]],
  ])('%s %j', (claims, settings, payload, who) => {
    expect(read({ claims, ...settings }, payload)).toEqual(who);
  });
});

describe('a mapping', () => {
  it('takes a name literally before it takes it as a path', () => {
    const path = { claimUser: 'a.b' };
    expect(read(path, { a: { b: 'deep' }, org: 'acme' })).toEqual(['deep', 'acme']);
    expect(read(path, { 'a.b': 'flat', a: { b: 'deep' }, org: 'acme' })).toEqual(['flat', 'acme']);
    expect(read({ claimUser: 'x.y.z' }, { 'x.y': { z: 'mixed' }, org: 'acme' })).toEqual(['mixed', 'acme']);
  });

  it.each([
    ['several orgs', { claimOrg: 'orgs' }, { sub: 'ada', orgs: ['a', 'b'] }, 'orgs names several orgs'],
    [
      'several orgs, none of them the default',
      { claimOrg: 'orgs', defaultOrg: 'c' },
      { sub: 'ada', orgs: ['a', 'b'] },
      'orgs names several orgs',
    ],
    ['no org', {}, { sub: 'ada' }, 'org is missing'],
    ['an object as the plain org', {}, { sub: 'ada', org: { acme: {} } }, 'org is of type object'],
    ['an org that is no name', { claimOrg: 'orgs' }, { sub: 'ada', orgs: ['a{b}'] }, 'orgs holds a brace'],
    ['no user', { claimUser: 'employee.id' }, { sub: 'ada', org: 'acme' }, 'employee.id is missing'],
    ['a user of null', { claimUser: 'uid' }, { uid: null, org: 'acme' }, 'uid is missing'],
    ['a user that is a list', { claimUser: 'uid' }, { uid: ['ada'], org: 'acme' }, 'uid is a list'],
    [
      'a path to what every object has',
      { claimUser: 'a.constructor' },
      { a: {}, org: 'acme' },
      'a.constructor is missing',
    ],
  ])('refuses %s, and names the claim', (_, settings, claims, problem) => {
    expect(read(settings, claims)).toContain(problem);
  });

  it('takes the default among several, and one that is named twice', () => {
    expect(read({ claimOrg: 'orgs', defaultOrg: 'b' }, { sub: 'ada', orgs: ['a', 'b'] })).toEqual([
      'ada',
      'b',
    ]);
    expect(read({ claimOrg: 'orgs' }, { sub: 'ada', orgs: ['a', 'a'] })).toEqual(['ada', 'a']);
  });
});
