import { createPublicKey, generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KeyError } from '../../src/auth/keys.js';
import { TICKET_TYPE, Tickets, ticketRingFromText } from '../../src/auth/tickets.js';
import { Broker } from '../../src/broker.js';
import { Desktop } from '../support/desktop.js';
import { keys, startNode, testSettings, tokenFor } from '../support/node.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();
const nonce = 'n'.repeat(24);

function jwk(kid: string, curve = 'P-256'): JsonWebKey & { kid: string } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: curve });
  return { ...privateKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' };
}
const textOf = (...all: object[]) => JSON.stringify({ keys: all });
const [first, second] = [jwk('first'), jwk('second')];

let node: Broker;
let keyless: Broker;

beforeAll(async () => {
  node = new Broker(testSettings(redis.url), keys, { ticketKeys: ticketRingFromText(textOf(first)) });
  await node.start();
  keyless = await startNode(redis.url);
});
afterAll(async () => {
  await node?.stop();
  await keyless?.stop();
});

const keysOf = async (of: Broker, method = 'GET') =>
  fetch(`http://127.0.0.1:${of.ports.public}/v1/keys`, { method });

async function welcomeOf(of: Broker, user: string, hello: object = { nonce }) {
  const desktop = await Desktop.hello(of.ports.public, user, 'pc', hello);
  const welcome = await desktop.told('welcome');
  desktop.ws.terminate();
  return welcome;
}

/** As a program does that has the vendor's key built in. */
function readBy(jwks: { keys: (JsonWebKey & { kid: string })[] }, ticket: string) {
  const { kid } = jwt.decode(ticket, { complete: true })?.header ?? {};
  const found = jwks.keys.find((one) => one.kid === kid);
  if (found === undefined) throw new Error(`no key ${kid}`);
  const key = createPublicKey({ key: found, format: 'jwk' });
  return jwt.verify(ticket, key, { algorithms: ['ES256'], issuer: 'soleseat' }) as jwt.JwtPayload;
}

// [broker-ticket-nonce]
describe('a ticket in welcome', () => {
  it('tells the broker from a fake one: signed, with the nonce of this hello and the session of this welcome', async () => {
    const jwks = await (await keysOf(node)).json();
    const { ticket = '', sessionId, epoch, ttlMs } = await welcomeOf(node, 'ada');
    const header = jwt.decode(ticket, { complete: true })?.header;
    expect(header).toEqual({ alg: 'ES256', typ: 'soleseat-ticket+jwt', kid: 'first' });
    const claims = readBy(jwks, ticket);
    expect(claims).toMatchObject({
      iss: 'soleseat',
      sub: 'ada',
      org: 'acme',
      machine: 'pc',
      sessionId,
      epoch,
      nonce,
    });
    expect(claims).not.toHaveProperty('aud');
    expect(((claims.exp ?? 0) - (claims.iat ?? 0)) * 1000).toBeLessThanOrEqual(ttlMs + 1000);
  });

  it.each([
    ['no nonce', {}],
    ['a nonce that is too short', { nonce: 'n'.repeat(15) }],
    ['a nonce that is too long', { nonce: 'n'.repeat(65) }],
    ['a nonce of null', { nonce: null }],
  ])('comes with none for %s', async (_, hello) => {
    expect(await welcomeOf(node, 'bob', hello)).not.toHaveProperty('ticket');
  });

  it('comes with none where the broker has no key', async () => {
    expect(await welcomeOf(keyless, 'cleo')).not.toHaveProperty('ticket');
    expect(await (await keysOf(keyless)).json()).toEqual({ keys: [] });
  });

  it('is no token, and a token is no ticket', async () => {
    const { ticket = '' } = await welcomeOf(node, 'dora');
    const desktop = await Desktop.open(node.ports.public, null);
    desktop.say({ type: 'hello', machine: { id: 'pc' }, token: ticket });
    expect((await desktop.close()).code).toBe(4501);
    const tickets = new Tickets(ticketRingFromText(textOf(first)), 'soleseat');
    expect(tickets.read(ticket)?.user).toBe('dora');
    expect(tickets.read(tokenFor('dora'))).toBeNull();
  });
});

describe('the keys of tickets', () => {
  it('are shown to everybody, the private halves to nobody, with what caches need', async () => {
    const response = await keysOf(node);
    expect(response.headers.get('content-type')).toBe('application/jwk-set+json');
    expect(response.headers.get('cache-control')).toBe('public, max-age=300');
    const text = await response.text();
    expect(text).not.toContain('"d"');
    expect(JSON.parse(text).keys).toMatchObject([
      { kty: 'EC', crv: 'P-256', kid: 'first', alg: 'ES256', use: 'sig' },
    ]);
    expect((await keysOf(node, 'HEAD')).headers.get('content-length')).toBe(String(Buffer.byteLength(text)));
    expect((await keysOf(node, 'POST')).status).toBe(405);
  });

  it('may change while tickets are out: the new one signs, the old one is shown on', async () => {
    const { ticket: old = '' } = await welcomeOf(node, 'eve');
    const ring = ticketRingFromText(textOf(second, { ...first, d: undefined }));
    const nothing = { keys: null, adminKeys: null, tls: null, redisTls: null, logLevel: 'silent' };
    node.renew({ ...nothing, ticketKeys: ring, redisUrl: redis.url });
    const jwks = await (await keysOf(node)).json();
    expect(jwks.keys.map(({ kid }: { kid: string }) => kid)).toEqual(['second', 'first']);
    expect(readBy(jwks, old).sub).toBe('eve');
    const { ticket: fresh = '' } = await welcomeOf(node, 'eve');
    expect(jwt.decode(fresh, { complete: true })?.header.kid).toBe('second');
    expect(readBy(jwks, fresh).sub).toBe('eve');
  });

  it('from PEM have a kid of their content, the same for both halves', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const kids = [1, 2].map(() => new Tickets(ticketRingFromText(pem), 'i').publicKeys.keys[0]);
    expect(kids[0]).toEqual(kids[1]);
    expect((kids[0] as { kid: string }).kid).toMatch(/^[\w-]{43}$/);
  });

  it.each([
    ['public keys alone', textOf({ ...first, d: undefined })],
    ['another curve', textOf(jwk('other', 'P-384'))],
    ['a secret', textOf({ kty: 'oct', k: Buffer.alloc(32, 'k').toString('base64url') })],
    ['nothing', textOf()],
    ['no JSON', '{'],
  ])('that are %s are refused', (_, text) => {
    expect(() => ticketRingFromText(text)).toThrow(KeyError);
  });
});

describe('a ticket that is not ours', () => {
  const own = new Tickets(ticketRingFromText(textOf(first)), 'soleseat');
  const claims = {
    user: 'ada',
    org: 'acme',
    machineId: 'pc',
    sessionId: 's',
    epoch: 1732523000001000,
    issuedAtMs: 1_000_000,
    expiresAtMs: 2_000_000,
  };
  const good = own.sign(claims) ?? '';
  const [header = '', payload = '', signature = ''] = good.split('.');
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

  it('is told from one that is, which is read whole, also after its end', () => {
    expect(own.read(good)).toEqual(claims);
  });

  it.each([
    [
      'of another key with the same kid',
      new Tickets(ticketRingFromText(textOf(jwk('first'))), 'soleseat').sign(claims) ?? '',
    ],
    ['of another issuer', new Tickets(ticketRingFromText(textOf(first)), 'other').sign(claims) ?? ''],
    ['with another payload', `${header}.${encoded({ ...claims, sub: 'eve' })}.${signature}`],
    ['without a signature', `${header}.${payload}.`],
    ['with alg none', `${encoded({ alg: 'none', typ: TICKET_TYPE, kid: 'first' })}.${payload}.`],
    [
      'with the type of a token',
      `${encoded({ alg: 'ES256', typ: 'JWT', kid: 'first' })}.${payload}.${signature}`,
    ],
    [
      'of a key that is not known',
      `${encoded({ alg: 'ES256', typ: TICKET_TYPE, kid: 'x' })}.${payload}.${signature}`,
    ],
    ['of no form', 'ticket'],
    ['that is empty', ''],
  ])('%s', (_, ticket) => {
    expect(own.read(ticket)).toBeNull();
  });
});
