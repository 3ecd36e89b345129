import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { SettingTexts } from '../../src/base/settings.js';
import type { Broker } from '../../src/broker.js';
import { pickFreePort } from '../../src/embedded/redis-probe.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { startNode, testTexts, tokenFor } from '../support/node.js';
import { testRedis } from '../support/redis.js';
import { RedisProxy } from '../support/redis-proxy.js';
import { exchange, goodLines, handshake, RawPeer, readAnswer } from './raw-socket.js';

const ORIGIN = 'https://app.example';

let redis: RedisProcess;
let node: Broker;
const others: Broker[] = [];

beforeAll(async () => {
  redis = await testRedis();
  node = await startNode(redis.url, { SOLESEAT_ORIGINS: ORIGIN });
});
afterEach(async () => {
  await Promise.all(others.splice(0).map((other) => other.stop()));
});
afterAll(async () => {
  await node.stop();
  await redis.stop();
});

async function otherNode(more: SettingTexts, redisUrl = redis.url): Promise<Broker> {
  const other = await startNode(redisUrl, more);
  others.push(other);
  return other;
}

const firstLine = (line: string) => [line, ...goodLines.slice(1)].join('\r\n').concat('\r\n\r\n');
const manyHeaders = Array.from({ length: 1500 }, (_, index) => `x${index}: 1`);

describe('a handshake', () => {
  it.each<readonly [string, number, string | Buffer]>([
    ['POST to the connect path', 405, firstLine('POST /v1/connect HTTP/1.1')],
    ['POST without Upgrade', 405, 'POST /v1/connect HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n'],
    ['GET without Upgrade', 426, handshake(['Upgrade'])],
    ['GET without Connection', 426, handshake(['Connection'])],
    ['Upgrade: h2c', 400, handshake(['Upgrade'], ['Upgrade: h2c'])],
    ['no key', 400, handshake(['Sec-WebSocket-Key'])],
    ['a short key', 400, handshake(['Sec-WebSocket-Key'], ['Sec-WebSocket-Key: dGhlIHNhbXBsZQ=='])],
    [
      'a key that is not base64',
      400,
      handshake(['Sec-WebSocket-Key'], ['Sec-WebSocket-Key: ***not-base64***!!']),
    ],
    ['two keys', 400, handshake([], ['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='])],
    [
      'a subprotocol list with a hole',
      400,
      handshake(['Sec-WebSocket-Protocol'], ['Sec-WebSocket-Protocol: soleseat.v1,,other']),
    ],
    [
      'a subprotocol that is no token',
      400,
      handshake(['Sec-WebSocket-Protocol'], ['Sec-WebSocket-Protocol: soleseat.v1, a b']),
    ],
    [
      'a subprotocol named twice',
      400,
      handshake(['Sec-WebSocket-Protocol'], ['Sec-WebSocket-Protocol: soleseat.v1, soleseat.v1']),
    ],
    ['two subprotocol headers of one name', 400, handshake([], ['Sec-WebSocket-Protocol: soleseat.v1'])],
    ['version 8', 426, handshake(['Sec-WebSocket-Version'], ['Sec-WebSocket-Version: 8'])],
    ['version 12', 426, handshake(['Sec-WebSocket-Version'], ['Sec-WebSocket-Version: 12'])],
    ['no version', 426, handshake(['Sec-WebSocket-Version'])],
    ['no Host', 400, handshake(['Host'])],
    ['HTTP/1.0', 400, firstLine('GET /v1/connect HTTP/1.0')],
    ['1,500 headers', 431, handshake([], manyHeaders)],
    ['1,500 headers without Upgrade', 431, handshake(['Upgrade'], manyHeaders)],
    ['a header of 17 KB', 431, handshake([], [`x: ${'a'.repeat(17_408)}`])],
    ['TLS on a plain port', 400, Buffer.from('16030100c8010000c40303', 'hex')],
    ['garbage', 400, Buffer.from('\u0001\u0002 what is this\r\n\r\n')],
    ['a NUL in a header', 400, handshake([], ['x: a\u0000b'])],
    [
      'Content-Length together with Transfer-Encoding',
      400,
      handshake([], ['Content-Length: 5', 'Transfer-Encoding: chunked']),
    ],
    ['a body', 400, handshake([], ['Content-Length: 5'])],
    ['a body behind it', 400, `${handshake([], ['Content-Length: 5'])}hello`],
    ['Content-Length: 00', 400, handshake([], ['Content-Length: 00'])],
    ['Content-Length: +0', 400, handshake([], ['Content-Length: +0'])],
    ['Content-Length: 0 twice', 400, handshake([], ['Content-Length: 0', 'Content-Length: 0'])],
    ['an empty Content-Length', 400, handshake([], ['Content-Length:'])],
    ['Transfer-Encoding: chunked', 400, handshake([], ['Transfer-Encoding: chunked'])],
    [
      'Content-Length: 0 together with Transfer-Encoding',
      400,
      handshake([], ['Content-Length: 0', 'Transfer-Encoding: chunked']),
    ],
    ['two Hosts', 400, handshake([], ['Host: b'])],
    ['two Hosts of one name', 400, handshake([], ['host: 127.0.0.1'])],
    ['two Hosts without Upgrade', 400, 'GET /v1/session HTTP/1.1\r\nHost: a\r\nHOST: b\r\n\r\n'],
    ['an empty Host', 400, handshake(['Host'], ['Host:'])],
    ['Upgrade: h2c, foo', 400, handshake(['Upgrade'], ['Upgrade: h2c, foo'])],
    ['Upgrade: websocket/13', 400, handshake(['Upgrade'], ['Upgrade: websocket/13'])],
    ['Upgrade: h2c on an unknown path', 404, firstLine('GET /v2 HTTP/1.1').replace('websocket', 'h2c')],
    ['two tokens in one header', 401, handshake([], ['Authorization: Bearer a.b.c d.e.f'])],
    ['Bearer without a token', 401, handshake([], ['Authorization: Bearer'])],
    [
      'a bad token behind Basic',
      401,
      handshake([], ['Authorization: Basic YTpi', 'Authorization: Bearer a.b.c']),
    ],
    ['an unknown path', 404, firstLine('GET /v2/connect HTTP/1.1')],
    ['an unknown path without Upgrade', 404, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['an absolute URL as its target', 404, firstLine('GET http://a/v1/connect HTTP/1.1')],
    ['an Origin not on the list', 403, handshake([], ['Origin: https://evil.example'])],
    ['Origin null', 403, handshake([], ['Origin: null'])],
    ['two Origins', 403, handshake([], [`Origin: ${ORIGIN}`, 'Origin: https://evil.example'])],
    ['a token that is not accepted', 401, handshake([], ['Authorization: Bearer a.b.c'])],
    ['no subprotocol', 400, handshake(['Sec-WebSocket-Protocol'])],
    [
      'no common subprotocol',
      400,
      handshake(['Sec-WebSocket-Protocol'], ['Sec-WebSocket-Protocol: soleseat.v9']),
    ],
  ])('with %s is answered %i', async (_, status, bytes) => {
    const answer = await exchange(node.ports.public, bytes);
    expect(answer.status).toBe(status);
    expect(answer.text).not.toMatch(/\.[jt]s:\d|node_modules|Error:/);
    if (status === 405) expect(answer.headers.get('allow')).toBe('GET');
  });

  it('of another version is told the version that is spoken', async () => {
    const bytes = handshake(['Sec-WebSocket-Version'], ['Sec-WebSocket-Version: 8']);
    expect((await exchange(node.ports.public, bytes)).headers.get('sec-websocket-version')).toBe('13');
  });

  it('whose headers trickle in is answered 408', async () => {
    const socket = connect(node.ports.public, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk)).on('error', () => {});
    const bytes = handshake();
    let sent = 0;
    const trickle = setInterval(() => {
      socket.write(bytes.charAt(sent));
      sent = (sent + 1) % 20;
    }, 1000);
    await once(socket, 'close');
    clearInterval(trickle);
    expect(readAnswer(Buffer.concat(chunks).toString()).status).toBe(408);
  });

  it('that never begins is cut off as well', async () => {
    const socket = connect(node.ports.public, '127.0.0.1').on('error', () => {});
    await once(socket.resume(), 'close');
  });

  it('that the peer gives up is no bad request, and garbage is', async () => {
    const other = await otherNode({});
    const endings: readonly ((socket: Socket) => void)[] = [
      (socket) => socket.resetAndDestroy(),
      (socket) => socket.write(handshake().slice(0, 40), () => socket.resetAndDestroy()),
      (socket) => socket.end(handshake().slice(0, 40)),
    ];
    for (const end of endings) {
      const socket = connect(other.ports.public, '127.0.0.1').on('error', () => {});
      await once(socket, 'connect');
      end(socket);
      await once(socket, 'close');
    }
    expect((await exchange(other.ports.public, 'garbage\r\n\r\n')).status).toBe(400);
    const refusals = (await other.metrics.registry.metrics()).match(
      /^soleseat_handshake_refusals_total.* [1-9]\d*$/gm,
    );
    expect(refusals).toEqual(['soleseat_handshake_refusals_total{status="400"} 1']);
  });

  const bearer = (form: (token: string) => string) => `Authorization: ${form(tokenFor('odd'))}`;
  it.each<readonly [string, readonly string[], readonly string[], number]>([
    [
      'Content-Length: 0, as the JDK sends it',
      [],
      ['Content-Length: 0', bearer((token) => `Bearer ${token}`)],
      0,
    ],
    ['a Bearer scheme in lower case', [], [bearer((token) => `bearer ${token}`)], 0],
    ['a Bearer scheme in upper case', [], [bearer((token) => `BEARER ${token}`)], 0],
    ['blanks and a tab behind the scheme', [], [bearer((token) => `Bearer  \t ${token}`)], 0],
    [
      'a Bearer token behind Basic',
      [],
      ['Authorization: Basic YTpi', bearer((token) => `Bearer ${token}`)],
      0,
    ],
    ['Upgrade: WebSocket', ['Upgrade'], ['Upgrade: WebSocket', bearer((token) => `Bearer ${token}`)], 0],
    [
      'Upgrade: h2c, websocket',
      ['Upgrade'],
      ['Upgrade: h2c, websocket', bearer((token) => `Bearer ${token}`)],
      0,
    ],
    ['two Upgrade headers', [], ['Upgrade: h2c', bearer((token) => `Bearer ${token}`)], 0],
    ['Authorization: Basic', [], ['Authorization: Basic YTpi'], 4501],
    ['Authorization: Negotiate', [], ['Authorization: Negotiate YII='], 4501],
    ['Authorization: Digest', [], ['Authorization: Digest username="a", realm="b, Bearer c"'], 4501],
    ['Authorization: NTLM', [], ['Authorization: NTLM'], 4501],
    ['Authorization of a scheme that begins like Bearer', [], ['Authorization: Bearers a.b.c'], 4501],
    ['an empty Authorization', [], ['Authorization:'], 4501],
  ])(
    'with %s goes through, and a scheme of somebody else counts for nothing',
    async (_, without, more, close) => {
      const peer = await RawPeer.open(node.ports.public, null, handshake(without, more));
      expect(peer.status).toBe(101);
      peer.say({ type: 'hello', machine: { id: 'odd' } });
      if (close === 0) await peer.told('welcome');
      else expect(await peer.closed()).toBe(close);
      peer.socket.destroy();
    },
  );

  // [broker-subprotocol]
  it('with a browser’s token before the protocol is answered with the protocol alone', async () => {
    const offered = [`soleseat.token.${tokenFor('browser-first')}`, 'soleseat.v1'];
    const browser = new WebSocket(`ws://127.0.0.1:${node.ports.public}/v1/connect`, offered);
    await once(browser, 'open');
    expect(browser.protocol).toBe('soleseat.v1');
    browser.terminate();
  });

  it('with Basic in front of a browser’s token goes through under that token', async () => {
    const protocols = `Sec-WebSocket-Protocol: soleseat.v1, soleseat.token.${tokenFor('browser-basic')}`;
    const lines = handshake(['Sec-WebSocket-Protocol'], [protocols, 'Authorization: Basic YTpi']);
    const peer = await RawPeer.open(node.ports.public, null, lines);
    peer.say({ type: 'hello', machine: { id: 'tablet' } });
    await peer.told('welcome');
    peer.socket.destroy();
  });

  it('from an Origin on the list goes through', async () => {
    const program = await Desktop.open(node.ports.public, tokenFor('browser'), { origin: ORIGIN });
    program.say({ type: 'hello', machine: { id: 'tablet' } });
    expect((await program.told('welcome')).resumed).toBe(false);
  });

  it('without a token goes through, and a hello without one closes 4501', async () => {
    const program = await Desktop.open(node.ports.public, null);
    program.say({ type: 'hello', machine: { id: 'workstation' } });
    expect(await program.close()).toEqual({ code: 4501, reason: 'unauthorized' });
  });

  it('leaves a good session after all of the above', async () => {
    const program = await Desktop.hello(node.ports.public, 'good', 'workstation');
    expect((await program.told('welcome')).ttlMs).toBeGreaterThan(0);
    await program.told('lease');
  });
});

// [broker-token-in-url]
describe('a token in the URL', () => {
  it.each(['token', 'access_token', 'x'])('is answered 400 as ?%s=', async (name) => {
    const target = `/v1/connect?${name}=${tokenFor('url')}`;
    expect((await exchange(node.ports.public, firstLine(`GET ${target} HTTP/1.1`))).status).toBe(400);
    expect((await exchange(node.ports.public, `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)).status).toBe(400);
  });

  it('is not what a version is', async () => {
    const lines = handshake([], [`Authorization: Bearer ${tokenFor('versioned')}`]);
    const peer = await RawPeer.open(node.ports.public, null, lines.replace('connect', 'connect?v=1.2.3'));
    peer.socket.destroy();
    expect(peer.status).toBe(101);
  });

  it('is neither logged nor sent back', async () => {
    const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
    const port = await pickFreePort();
    const texts = testTexts(redis.url, { SOLESEAT_PORT: String(port), SOLESEAT_LOG_LEVEL: 'debug' });
    const child = spawn(process.execPath, [main, 'serve'], { env: { ...process.env, ...texts } });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += String(chunk);
    });
    child.stderr.on('data', (chunk) => {
      output += String(chunk);
    });
    await eventually(() => {
      if (child.exitCode !== null) throw new Error(output);
      return output.includes('broker started');
    });
    const token = tokenFor('url');
    const answer = await exchange(port, firstLine(`GET /v1/connect?token=${token} HTTP/1.1`));
    await exchange(port, handshake([], ['Authorization: Bearer a-token-that-is-not-good']));
    child.kill('SIGTERM');
    await once(child, 'close');
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain(token);
    expect(output).toContain('token not accepted');
    expect(output).not.toContain(token);
    expect(output).not.toContain('a-token-that-is-not-good');
  });
});

describe('a node at its limit', () => {
  it('answers 429 with Retry-After to one connection too many from an address', async () => {
    const { ports } = await otherNode({ SOLESEAT_CONNECTIONS_PER_ADDRESS: '2' });
    const [first] = await Promise.all([Desktop.open(ports.public, null), Desktop.open(ports.public, null)]);
    const refused = await exchange(ports.public, handshake());
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    first.ws.close();
    await eventually(async () => (await RawPeer.open(ports.public, null)).status === 101);
  });

  it('answers 429 with Retry-After to one attempt too many from an address, bad ones counted', async () => {
    const { ports } = await otherNode({
      SOLESEAT_CONNECTIONS_PER_ADDRESS: '100',
      SOLESEAT_HANDSHAKES_PER_ADDRESS: '3',
    });
    const holder = await Desktop.hello(ports.public, 'early', 'workstation');
    const bad = handshake([], ['Authorization: Bearer a.b.c']);
    expect((await exchange(ports.public, bad)).status).toBe(401);
    expect((await exchange(ports.public, handshake(['Sec-WebSocket-Key']))).status).toBe(400);
    for (const bytes of [bad, handshake()]) {
      const refused = await exchange(ports.public, bytes);
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    }
    await holder.told('lease');
  });

  it('answers 503 with Retry-After to one handshake too many in a second', async () => {
    const { ports } = await otherNode({ SOLESEAT_HANDSHAKES_PER_SECOND: '1' });
    expect((await RawPeer.open(ports.public, null)).status).toBe(101);
    let refused = await exchange(ports.public, handshake([], ['Authorization: Bearer a.b.c']));
    expect(refused.status).toBe(401);
    // Unless a second went by between two of them, which makes room for one more.
    await eventually(async () => {
      const peer = await RawPeer.open(ports.public, null);
      if (peer.status === 101) return false;
      refused = await peer.refusal();
      return true;
    });
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    await eventually(async () => (await RawPeer.open(ports.public, null)).status === 101);
  });

  it('answers 503 with Retry-After while it drains', async () => {
    const draining = await startNode(redis.url, { SOLESEAT_DRAIN_MS: '3000' });
    await Promise.all(Array.from({ length: 20 }, () => Desktop.open(draining.ports.public, null)));
    const drained = draining.drain();
    const refused = await exchange(draining.ports.public, handshake());
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    await drained;
  });

  it('answers 503 with Retry-After while Redis is out of reach', async () => {
    const proxy = await RedisProxy.start(redis.url);
    const { ports } = await otherNode({}, proxy.url);
    proxy.stop();
    await eventually(async () => (await fetch(`http://127.0.0.1:${ports.admin}/readyz`)).status !== 200);
    const refused = await exchange(ports.public, handshake());
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});
