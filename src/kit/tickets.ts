import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** Signs tickets as a broker does, with a key of this run. */
export class TicketKey {
  private readonly pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  constructor(readonly kid: string) {}

  /** As `/v1/keys` shows it, among keys that are no business of a client's. */
  get keySet(): string {
    const { publicKey } = generateKeyPairSync('ed25519');
    const keys = [
      { ...publicKey.export({ format: 'jwk' }), kid: 'another', alg: 'EdDSA' },
      { ...this.pair.publicKey.export({ format: 'jwk' }), kid: this.kid, use: 'sig', alg: 'ES256' },
    ];
    return JSON.stringify({ keys });
  }

  sign(claims: object, header: object = {}): string {
    return signTicket(
      this.pair.privateKey,
      { alg: 'ES256', typ: 'soleseat-ticket+jwt', kid: this.kid, ...header },
      claims,
    );
  }
}

function signTicket(key: KeyObject, header: object, claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part(header)}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}
