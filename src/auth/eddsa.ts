import { type KeyObject, sign, verify } from 'node:crypto';

/** EdDSA with Ed25519 (RFC 8037), which `jsonwebtoken` does not know. */

/** A compact JWS (RFC 7515 section 7.1) of this header and payload. */
export function signEdDsa(header: object, payload: object, signingKey: KeyObject): string {
  const signed = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  const signature = sign(null, Buffer.from(signed.join('.')), signingKey);
  return [...signed, signature.toString('base64url')].join('.');
}

/** The payload of a compact JWS. Throws where the signature is another, or the payload is not JSON. */
export function eddsaPayload(token: string, key: KeyObject): unknown {
  const end = token.lastIndexOf('.');
  const signature = Buffer.from(token.slice(end + 1), 'base64url');
  if (!verify(null, Buffer.from(token.slice(0, end), 'latin1'), key, signature))
    throw new Error('the signature is another');
  return JSON.parse(Buffer.from(token.slice(token.indexOf('.') + 1, end), 'base64url').toString('utf8'));
}
