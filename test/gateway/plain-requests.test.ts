import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Broker } from '../../src/broker.js';
import { selfSigned } from '../support/certificate.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { adminTokenFor, keys, startNode, testSettings, tokenFor, UNHURRIED } from '../support/node.js';
import { useRedis } from '../support/redis.js';
import { RedisProxy } from '../support/redis-proxy.js';
import { exchange, goodLines, handshake, readAnswer } from './raw-socket.js';

const redis = useRedis();
let node: Broker;

beforeAll(async () => {
  node = await startNode(redis.url, UNHURRIED);
  await (await Desktop.hello(node.ports.public, 'holder', 'workstation')).told('welcome');
});
afterAll(() => node.stop());

/** What the JDK's HttpClient sends with every first request over plain HTTP. */
const h2c = [
  'Connection: Upgrade, HTTP2-Settings',
  'Upgrade: h2c',
  'HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk',
];
const bearer = (token: string) => `Authorization: Bearer ${token}`;

function request(line: string, headers: readonly string[], body = ''): string {
  const length =
    body === '' ? [] : ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`];
  return `${[`${line} HTTP/1.1`, 'Host: a', ...headers, ...length].join('\r\n')}\r\n\r\n${body}`;
}

/** What comes back on one connection; each text is sent once all before it have so many answers. */
async function talk(socket: Socket, texts: readonly string[]): Promise<string[]> {
  let received = '';
  let isClosed = false;
  socket.on('data', (data) => {
    received += data.toString('latin1');
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    isClosed = true;
  });
  const answers = () => received.split(/(?=HTTP\/1\.1 \d)/).filter((one) => one !== '');
  for (const [index, text] of texts.entries()) {
    socket.write(text, 'latin1');
    await eventually(() => isClosed || answers().length > index);
  }
  socket.destroy();
  return answers();
}

const statusesOf = (answers: readonly string[]) => answers.map((answer) => readAnswer(answer).status);

describe('an offer to speak another protocol is ignored (RFC 9110 section 7.8)', () => {
  const seat = request('GET /v1/session', [...h2c, bearer(tokenFor('holder'))]);

  it('GET /v1/session is answered, again and again on one connection', async () => {
    const answers = await talk(
      connectTcp(node.ports.public, '127.0.0.1'),
      Array.from({ length: 15 }, () => seat),
    );
    expect(statusesOf(answers)).toEqual(Array.from({ length: 15 }, () => 200));
    expect(answers[14]).toContain('"name":"workstation"');
  });

  it('under TLS as well', async () => {
    const { cert, key } = selfSigned();
    const secure = new Broker(testSettings(redis.url, UNHURRIED), keys, { tls: { cert, key } });
    await secure.start();
    const socket = connectTls({ port: secure.ports.public, host: '127.0.0.1', ca: cert });
    await once(socket, 'secureConnect');
    expect(statusesOf(await talk(socket, [seat, seat]))).toEqual([200, 200]);
    await secure.stop();
  });

  it.each<readonly [string, number, string]>([
    ['a WebSocket at another path', 401, request('GET /v1/session', goodLines.slice(2))],
    ['no token', 401, request('GET /v1/session', h2c)],
    ['a token of another scheme', 401, request('GET /v1/session', [...h2c, 'Authorization: Basic YTpi'])],
    [
      'a Bearer scheme in lower case',
      200,
      request('GET /v1/session', [`authorization: bearer \t${tokenFor('holder')}`]),
    ],
    ['a method that is not served', 405, request('POST /v1/session', h2c, '{}')],
    ['an unknown path', 404, request('GET /nowhere', h2c)],
    ['a token in the URL', 400, request(`GET /v1/session?token=${tokenFor('holder')}`, h2c)],
    ['two Hosts', 400, request('GET /v1/session', [...h2c, 'Host: b'])],
    [
      'an offer in odd letters',
      401,
      request('GET /v1/session', ['connection: uPGRADE', 'uPGRADE: TLS/1.0, h2c']),
    ],
    ['at the connect path', 400, request('GET /v1/connect', h2c)],
  ])('with %s it is %i', async (_, status, text) => {
    const [answer = ''] = await talk(connectTcp(node.ports.public, '127.0.0.1'), [text]);
    expect(readAnswer(answer).status).toBe(status);
  });

  it.each<readonly [string, number, string]>([
    ['GET /livez', 200, request('GET /livez', h2c)],
    ['GET /readyz', 200, request('GET /readyz', h2c)],
    ['GET /metrics', 200, request('GET /metrics', h2c)],
    ['GET of a list', 200, request('GET /v1/admin/orgs', [...h2c, bearer(adminTokenFor())])],
    [
      'POST with a body',
      201,
      request('POST /v1/admin/orgs/acme/licenses', [...h2c, bearer(adminTokenFor())], '{"user":"h2c"}'),
    ],
    [
      'POST with a body in chunks',
      201,
      `${request('POST /v1/admin/orgs/acme/licenses', [
        ...h2c,
        bearer(adminTokenFor()),
        'Content-Type: application/json',
        'Transfer-Encoding: chunked',
      ])}11\r\n{"user":"chunked"\r\n1\r\n}\r\n0\r\n\r\n`,
    ],
    ['DELETE', 405, request('DELETE /v1/admin/orgs', [...h2c, bearer(adminTokenFor())])],
  ])('at the admin port %s is %i', async (_, status, text) => {
    const answers = await talk(connectTcp(node.ports.admin, '127.0.0.1'), [text, request('GET /livez', h2c)]);
    expect(statusesOf(answers)).toEqual([status, 200]);
  });
});

describe('a handshake behind a request that has no answer yet', () => {
  it('is refused after that answer, and nothing is written into a WebSocket', async () => {
    const proxy = await RedisProxy.start(redis.url);
    const slow = await startNode(proxy.url, UNHURRIED);
    proxy.holdReplies();
    const first = request('GET /v1/session', [bearer(tokenFor('holder'))]);
    const socket = connectTcp(slow.ports.public, '127.0.0.1');
    let received = '';
    socket.on('data', (data) => {
      received += data.toString('latin1');
    });
    socket.write(first + handshake([], [bearer(tokenFor('piped'))]));
    // Whoever connected later has been answered: both requests have been read.
    await exchange(slow.ports.public, request('GET /nowhere', []));
    proxy.passReplies();
    await once(socket, 'close');
    const answers = received.split(/(?=HTTP\/1\.1 \d)/);
    expect(statusesOf(answers)).toEqual([200, 400]);
    expect(answers[0]).toContain('"name":"workstation"');
    await slow.stop();
    proxy.stop();
  });

  it('behind several, one of them with an offer that is ignored, is refused as well', async () => {
    const ask = request('GET /v1/session', [bearer(tokenFor('holder'))]);
    const [first, second] = [ask + ask + handshake(), ask + request('GET /v1/session', h2c)];
    for (const [text, statuses] of [
      [first, [200, 200, 400]],
      [second, [200, 400]],
    ] as const) {
      const socket = connectTcp(node.ports.public, '127.0.0.1');
      let received = '';
      socket.on('data', (data) => {
        received += data.toString('latin1');
      });
      socket.write(text);
      await once(socket, 'close');
      expect(statusesOf(received.split(/(?=HTTP\/1\.1 \d)/))).toEqual(statuses);
    }
  });

  it('and one behind a request that has its answer goes through', async () => {
    const socket = connectTcp(node.ports.public, '127.0.0.1');
    const seat = request('GET /v1/session', [bearer(tokenFor('holder'))]);
    const answers = await talk(socket, [seat, handshake()]);
    expect(statusesOf(answers)).toEqual([200, 101]);
  });
});
