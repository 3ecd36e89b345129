import jwt from 'jsonwebtoken';
import { SECRET } from '../support/node.js';

/** A client token with these claims; undefined takes one away. */
export function signed(claims: Readonly<Record<string, unknown>>): string {
  const now = Math.floor(Date.now() / 1000);
  const all = { org: 'acme', iss: 'soleseat', aud: 'soleseat', iat: now, exp: now + 3600, ...claims };
  const payload = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  // The library takes an `iat` that is given out of the payload again where it is told to add none.
  return jwt.sign(payload, SECRET, { algorithm: 'HS256', noTimestamp: payload.iat === undefined });
}
