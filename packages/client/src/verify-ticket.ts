/** A key set as the broker shows it at `/v1/keys` (RFC 7517). Other keys than those of P-256 are passed over. */
export interface TicketKeys {
  readonly keys: readonly Readonly<Record<string, unknown>>[];
}

/** What a ticket says. */
export interface TicketClaims {
  readonly iss: string;
  /** The user. */
  readonly sub: string;
  readonly org: string;
  /** The id of the machine. */
  readonly machine: string;
  readonly sessionId: string;
  readonly epoch: number;
  /** When it was signed and when it ends, in seconds, by the broker's clock. */
  readonly iat: number;
  readonly exp: number;
  /** In the ticket of a `welcome`: what `hello` brought. */
  readonly nonce?: string;
}

const TYPE = 'soleseat-ticket+jwt';
const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const texts = ['iss', 'sub', 'org', 'machine', 'sessionId'] as const;
const numbers = ['epoch', 'iat', 'exp'] as const;

/**
 * What the ticket says, where one of the keys signed it (RFC 7515, ES256). Looks at no clock. Rejects with an Error that says what is wrong.
 */
export async function verifyTicket(ticket: string, { keys }: TicketKeys): Promise<TicketClaims> {
  const [head = '', body = '', signature = '', ...more] = ticket.split('.');
  if (more.length > 0) throw new Error('The ticket has more than three parts.');
  const header = fieldsOf(head);
  if (header.alg !== 'ES256' || header.typ !== TYPE || 'crit' in header)
    throw new Error('It is no ticket, or signed in another way than ES256.');
  const key = keys.find(({ kid, kty, crv }) => kid === header.kid && kty === 'EC' && crv === 'P-256');
  if (key === undefined) throw new Error(`No key of the program has the name ${header.kid}.`);
  const { kty, crv, x, y } = key as JsonWebKey;
  const { subtle } = crypto as Partial<Crypto>;
  if (subtle === undefined) throw new Error('A page checks signatures only where it came over https.');
  const imported = await subtle.importKey('jwk', { kty, crv, x, y } as JsonWebKey, algorithm, false, [
    'verify',
  ]);
  const signed = new TextEncoder().encode(`${head}.${body}`);
  const how = { name: 'ECDSA', hash: 'SHA-256' };
  if (!(await subtle.verify(how, imported, bytesOf(signature), signed)))
    throw new Error('The signature of the ticket is not that of its key.');
  const claims = fieldsOf(body);
  const isWhole =
    texts.every((name) => typeof claims[name] === 'string') &&
    numbers.every((name) => Number.isSafeInteger(claims[name]));
  if (!isWhole) throw new Error('The ticket does not say all that it should.');
  return claims as unknown as TicketClaims;
}

function fieldsOf(part: string): Readonly<Record<string, unknown>> {
  const bytes = bytesOf(part);
  let value: unknown = null;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // Told below.
  }
  if (typeof value !== 'object' || value === null) throw new Error('A part of the ticket is no JSON object.');
  return value as Readonly<Record<string, unknown>>;
}

/** base64url without padding (RFC 4648). */
function bytesOf(part: string): Uint8Array<ArrayBuffer> {
  if (!/^[\w-]+$/.test(part)) throw new Error('A part of the ticket is not in base64url.');
  return Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (one) => one.charCodeAt(0));
}
