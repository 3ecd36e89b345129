import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls, getCiphers } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { connect as openSession, type WebSocketClass } from '../../packages/client/src/node.js';
import { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { type Certificate, certificate, selfSigned } from '../support/certificate.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { keys, startNode, testSettings, tokenFor } from '../support/node.js';
import { testRedis } from '../support/redis.js';
import { exchange, handshake } from './raw-socket.js';

const pair = selfSigned();
let redis: RedisProcess;
let node: Broker;
let plain: Broker;

beforeAll(async () => {
  redis = await testRedis();
  node = new Broker(testSettings(redis.url), keys, { tls: pair });
  await node.start();
  plain = await startNode(redis.url);
});
afterAll(async () => {
  await Promise.all([node.stop(), plain.stop()]);
  await redis.stop();
});

/** A client that trusts the test's certificate, and no other. */
class Trusting extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols, { ca: pair.cert });
  }
}

function sit(user: string, machineId: string, port: number, scheme = 'wss') {
  return openSession({
    url: `${scheme}://127.0.0.1:${port}/v1/connect`,
    getToken: () => tokenFor(user),
    machine: { id: machineId, name: machineId },
    WebSocket: Trusting as WebSocketClass,
  });
}

/** The ciphers of TLS 1.2 that a node takes, of all that there are. */
async function takenBy({ ports }: Broker, { cert }: Certificate): Promise<string[]> {
  const all = getCiphers().map((name) => name.toUpperCase());
  const old = all.filter((name) => !name.startsWith('TLS_'));
  // The control: this side offers what has no forward secrecy.
  expect(old).toContain('AES128-GCM-SHA256');
  const taken: string[] = [];
  for (const name of old) {
    const where = { port: ports.public, host: '127.0.0.1', ca: cert };
    const socket = connectTls({ ...where, maxVersion: 'TLSv1.2', ciphers: `${name}:@SECLEVEL=0` });
    const isTaken = await new Promise((resolve) => {
      socket.once('secureConnect', () => resolve(true)).once('error', () => resolve(false));
    });
    if (isTaken) taken.push(name);
    socket.destroy();
  }
  return taken;
}

describe('a node with a certificate', () => {
  it('serves wss:// clients, and a takeover from a plain node ends one of them', async () => {
    const first = sit('ada', 'workstation', node.ports.public);
    await eventually(() => first.state === 'active');
    const second = sit('ada', 'laptop', plain.ports.public, 'ws');
    await eventually(() => first.state === 'evicted' && second.state === 'active');
    await second.release();
  });

  it('speaks TLS 1.2 or newer, and HTTP/1.1', async () => {
    const options = { port: node.ports.public, host: '127.0.0.1', ca: pair.cert };
    const socket = connectTls(options);
    await once(socket, 'secureConnect');
    expect([socket.authorized, socket.getProtocol()]).toEqual([true, 'TLSv1.3']);
    socket.destroy();
    const old = connectTls({ ...options, maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1' });
    await once(old, 'error');
  });

  it.for(['ec', 'rsa'] as const)(
    'offers nothing without forward secrecy under a key of the kind %s, also after it was renewed',
    async (kind) => {
      const tls = certificate({ kind });
      const other = new Broker(testSettings(redis.url), keys, { tls });
      await other.start();
      const before = await takenBy(other, tls);
      other.renew({
        keys,
        adminKeys: null,
        ticketKeys: null,
        tls,
        redisTls: null,
        redisUrl: redis.url,
        logLevel: 'silent',
      });
      for (const taken of [before, await takenBy(other, tls)]) {
        expect(taken.filter((name) => !name.startsWith('ECDHE-'))).toEqual([]);
        expect(taken.length).toBeGreaterThan(2);
      }
      await other.stop();
    },
  );

  it('gives the handshake the same answers', async () => {
    const socket = connectTls({ port: node.ports.public, host: '127.0.0.1', ca: pair.cert });
    socket.write(handshake(['Sec-WebSocket-Version'], ['Sec-WebSocket-Version: 8']));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1\.1 426 /);
    socket.destroy();
  });

  it('hangs up on plain HTTP and on garbage, and goes on', async () => {
    for (const bytes of [handshake(), Buffer.from([22, 3, 1, 255, 255, 0, 0, 0]), Buffer.from([0, 1, 2])]) {
      const socket = connect(node.ports.public, '127.0.0.1').on('error', () => {});
      socket.end(bytes);
      socket.resume();
      await once(socket, 'close');
    }
    const client = sit('kay', 'desk', node.ports.public);
    await eventually(() => client.state === 'active');
    await client.release();
  });
});

it.each([
  ['with a certificate', 'wss', pair],
  ['without one', 'ws', null],
])('a node %s stops without waiting for a peer that connected and says nothing', async (_, scheme, tls) => {
  const other = new Broker(testSettings(redis.url), keys, { tls });
  await other.start();
  const silent = connect(other.ports.public, '127.0.0.1').on('error', () => {});
  await once(silent, 'connect');
  // Accepted after the silent one was.
  const client = sit('eve', 'desk', other.ports.public, scheme);
  await eventually(() => client.state === 'active');
  const startedMs = performance.now();
  await other.stop();
  client.disconnect();
  // A TLS handshake may take 10 s.
  expect(performance.now() - startedMs).toBeLessThan(8000);
  silent.destroy();
});

describe('a node without one', () => {
  it('is not spoken to by TLS', async () => {
    const desktop = await Desktop.hello(plain.ports.public, 'grace', 'desk');
    await desktop.told('welcome');
    const hello = Buffer.from('16030100c8010000c40303', 'hex');
    expect((await exchange(plain.ports.public, hello)).status).toBe(400);
  });
});
