import { createHmac } from 'node:crypto';

/** Forging by hand what no library would sign. */

export const secret = 'a secret of more than thirty-two bytes';
export const issuer = 'https://issuer.example';
export const audience = 'soleseat';
/** Unix seconds. */
export const now = 1_800_000_000;

export const goodHeader = { alg: 'HS256', typ: 'JWT' };
export const goodClaims = { sub: 'ada', org: 'acme', iss: issuer, aud: audience, exp: now + 60, iat: now };

export const base64url = (text: string | Uint8Array) => Buffer.from(text).toString('base64url');

export function hmac(signed: string, key: string | Buffer = secret): string {
  return createHmac('sha256', key).update(signed).digest('base64url');
}

/** Signs any two JSON texts, valid or not. */
export function forgeText(header: string, payload: string | Uint8Array, key?: string | Buffer): string {
  const signed = `${base64url(header)}.${base64url(payload)}`;
  return `${signed}.${hmac(signed, key)}`;
}

/** The good token, with these members of header and claims replaced (or, by undefined, left out). */
export function forge(claims: object = {}, header: object = {}, key?: string | Buffer): string {
  const fullHeader = JSON.stringify({ ...goodHeader, ...header });
  return forgeText(fullHeader, JSON.stringify({ ...goodClaims, ...claims }), key);
}

/** Claims as JSON text with one more member spelled out, for what JSON.stringify cannot write. */
export function forgeMember(member: string, claims: object = {}): string {
  const text = JSON.stringify({ ...goodClaims, ...claims });
  return forgeText(JSON.stringify(goodHeader), `${text.slice(0, -1)},${member}}`);
}

/** The same bytes in another spelling: the last character with its spare bits set. */
export function respell(part: string): string {
  if (part.length % 4 === 0) throw new Error('this part has no spare bits');
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.charAt(alphabet.indexOf(part.slice(-1)) + 1);
  return part.slice(0, -1) + last;
}
