import { describe, expect, it } from 'vitest';
import { hasTokenInUrl } from '../../src/gateway/token-in-url.js';
import { tokenFor } from '../support/node.js';

const token = tokenFor('ada');
const [, payload, signature] = token.split('.');
const base64url = (text: string) => Buffer.from(text).toString('base64url');
const under = (header: string) => `${base64url(header)}.${payload}.${signature}`;

describe('a token in the URL', () => {
  it.each([
    `x=${token}`,
    `a=1&x=${token}&b=2`,
    `x=Bearer%20${token}`,
    `x=Bearer+${token}`,
    `x=${encodeURIComponent(`"${token}"`)}`,
    `x=${token.replaceAll('.', '%2E')}`,
    token,
    `${token}=1`,
    `x=${token.split('.').slice(0, 2).join('.')}.`,
    `x=${under('{}')}`,
    `x=${under('{ "alg": "HS256" }')}`,
    `x=${under('\r\n  {\n  "alg": "HS256" }')}`,
    `x=${base64url('{"alg":"dir","enc":"A256GCM"}')}..a.b.c`,
    ...['token', 'TOKEN', 'access_token', 'accessToken', 'accesstoken', 'id-token', 'jwt', 'myJwt', 'auth'],
    ...['Authorization=opaque', 'authToken=opaque', 'bearer=opaque', 'oauth=opaque', 'tokens=opaque'],
    '?token=opaque',
  ])('is seen in ?%s', (query) => {
    expect(hasTokenInUrl(`/v1/connect?${query}`)).toBe(true);
  });

  it.each([
    'v=1.2.3',
    'v=1.2.3-beta.4',
    'build=10.0.19045.4412',
    'v=20.04.1-lts',
    'locale=de.DE.utf8',
    'file=a.b.c',
    'host=seats.example.com',
    'ip=192.0.2.1',
    'org.example.app=2.0.0',
    'author=ada',
    'authority=acme',
    'tokenizer=plain',
    'x={}.a.b',
    'x=...',
    'x=e.y.j',
    '',
    '%',
    '%ff=%ff',
  ])('is not seen in ?%s', (query) => {
    expect(hasTokenInUrl(`/v1/connect?${query}`)).toBe(false);
  });

  it('is looked for in a time that grows with the length alone', () => {
    const begin = performance.now();
    for (const text of ['a'.repeat(2_000_000), 'a.'.repeat(500_000), '='.repeat(500_000)])
      expect(hasTokenInUrl(`/v1/connect?x=${text}`)).toBe(false);
    // Each character with each other one would take hours.
    expect(performance.now() - begin).toBeLessThan(60_000);
  });

  it('is not looked for in the path', () => {
    expect(hasTokenInUrl('/v1/session')).toBe(false);
  });
});
