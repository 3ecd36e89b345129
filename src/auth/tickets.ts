import { createHash } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { KeyError, type KeyRing, type VerificationKey } from './keys.js';
import { keyRingFromText } from './read-keys.js';

/** The claims of a ticket, by which the broker says that this user and machine hold a seat, and until when. */
export interface TicketClaims {
  readonly user: string;
  readonly org: string;
  readonly machineId: string;
  readonly sessionId: string;
  readonly epoch: number;
  /** Unix ms; a ticket tells both in whole seconds. */
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  /** What the program sent, by which it knows that the ticket is no older one. */
  readonly nonce?: string;
}

/** Another `typ` than that of tokens: neither is ever taken for the other (RFC 8725 section 3.11). */
export const TICKET_TYPE = 'soleseat-ticket+jwt';
const algorithm = 'ES256';

/** A ring for tickets, from a JWKS or PEM. Throws KeyError where no key of it signs with ES256. */
export function ticketRingFromText(text: string): KeyRing {
  const ring = keyRingFromText(text);
  if (signerOf(ring) === undefined) throw new KeyError('holds no private key on P-256 (ES256)');
  return ring;
}

function signerOf(ring: KeyRing): VerificationKey | undefined {
  return ring.keys.find((key) => key.algorithm === algorithm && key.signingKey !== null);
}

/**
 * Signs tickets, and tells its own from others. The first private key signs; the public halves of all keys are shown, so that
 * tickets outlive a change of keys. Without keys there are no tickets.
 */
export class Tickets {
  #ring: KeyRing | null;

  constructor(
    ring: KeyRing | null,
    private readonly issuer: string,
  ) {
    this.#ring = ring;
  }

  get canSign(): boolean {
    return this.#ring !== null;
  }

  /** Other keys, from now on. Tickets that they did not sign are strangers'. */
  replace(ring: KeyRing): void {
    this.#ring = ring;
  }

  /** A JWS in compact form (RFC 7515); null without keys. */
  sign(claims: TicketClaims): string | null {
    const key = this.#ring === null ? undefined : signerOf(this.#ring);
    if (key === undefined || key.signingKey === null) return null;
    const { user, org, machineId, sessionId, epoch, nonce } = claims;
    const payload = {
      iss: this.issuer,
      sub: user,
      org,
      machine: machineId,
      sessionId,
      epoch,
      iat: Math.floor(claims.issuedAtMs / 1000),
      exp: Math.floor(claims.expiresAtMs / 1000),
      ...(nonce !== undefined && { nonce }),
    };
    const header = { alg: algorithm, typ: TICKET_TYPE, kid: kidOf(key) } as const;
    return jwt.sign(payload, key.signingKey, { algorithm, header });
  }

  /** What one of our own tickets says, ended or not; null for anything else. */
  read(ticket: string): TicketClaims | null {
    try {
      // What is no ticket at all may throw as well.
      const kid = headerOf(ticket);
      const key = this.#ring?.keys.find((one) => one.algorithm === algorithm && kidOf(one) === kid);
      if (key === undefined) return null;
      const claims = jwt.verify(ticket, key.key, {
        algorithms: [algorithm],
        issuer: this.issuer,
        ignoreExpiration: true,
      });
      return typeof claims === 'string' ? null : claimsIn(claims);
    } catch {
      return null;
    }
  }

  /** The public keys as a JWK Set (RFC 7517 section 5). */
  get publicKeys(): { readonly keys: readonly object[] } {
    const own = this.#ring?.keys.filter((key) => key.algorithm === algorithm) ?? [];
    return {
      keys: own.map((key) => ({
        ...key.key.export({ format: 'jwk' }),
        kid: kidOf(key),
        alg: algorithm,
        use: 'sig',
      })),
    };
  }
}

/** Its own, or that of its content (RFC 7638): a key from PEM has none. */
function kidOf({ kid, key }: VerificationKey): string {
  if (kid !== null) return kid;
  const { crv, kty, x, y } = key.export({ format: 'jwk' });
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
}

/** The kid of a ticket; null for what is no ticket. */
function headerOf(ticket: string): string | null {
  const header = jwt.decode(ticket, { complete: true })?.header;
  return header?.typ === TICKET_TYPE && header.alg === algorithm ? (header.kid ?? null) : null;
}

function claimsIn(claims: jwt.JwtPayload): TicketClaims | null {
  const { sub, org, machine, sessionId, epoch, iat, exp, nonce } = claims;
  const texts = [sub, org, machine, sessionId];
  const numbers = [epoch, iat, exp];
  if (!texts.every((text) => typeof text === 'string') || !numbers.every(Number.isSafeInteger)) return null;
  return {
    user: String(sub),
    org: String(org),
    machineId: String(machine),
    sessionId: String(sessionId),
    epoch: Number(epoch),
    issuedAtMs: Number(iat) * 1000,
    expiresAtMs: Number(exp) * 1000,
    ...(typeof nonce === 'string' && { nonce }),
  };
}
