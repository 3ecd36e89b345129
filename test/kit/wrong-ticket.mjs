// Tickets, as PROTOCOL.md says, for wrong-client.mjs; and wrong where that is told so.
import { createPublicKey, randomUUID, verify } from 'node:crypto';

const { SEAT_NONCE_KEYS } = process.env;

export class Proof {
  #has;
  #nonce = null;
  isProven = SEAT_NONCE_KEYS === undefined;

  constructor(has) {
    this.#has = has;
  }

  inHello() {
    if (SEAT_NONCE_KEYS === undefined) return {};
    this.isProven = false;
    if (this.#nonce === null || !this.#has('nonce-stands')) this.#nonce = randomUUID();
    return { nonce: this.#has('nonce-short') ? this.#nonce.slice(0, 8) : this.#nonce };
  }

  /** Whether the broker proves who it is by this `welcome`. */
  proves(welcome) {
    this.isProven ||= this.#has('ticket-unchecked') || this.#isGood(welcome);
    return this.isProven;
  }

  #isGood({ ticket, sessionId }) {
    if (typeof ticket !== 'string') return false;
    const [head, body, signature] = ticket.split('.');
    const [header, claims] = [head, body].map((part) =>
      JSON.parse(Buffer.from(part, 'base64url').toString()),
    );
    const jwk = JSON.parse(SEAT_NONCE_KEYS).keys.find(({ kid }) => kid === header.kid);
    if (header.typ !== 'soleseat-ticket+jwt' && !this.#has('ticket-any-type')) return false;
    const key = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' };
    if (!verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url')))
      return false;
    if (this.#has('ticket-by-clock') && claims.exp * 1_000 < Date.now()) return false;
    const isNonce = claims.nonce === this.#nonce || this.#has('ticket-any-nonce') || this.#has('nonce-short');
    return isNonce && (claims.sessionId === sessionId || this.#has('ticket-any-session'));
  }
}
