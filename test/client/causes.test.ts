import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect as dial, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { statusCause } from '../../packages/client/src/cause.js';
import { proxyAgent, proxyFor } from '../../packages/client/src/http-agent.js';
import { faultCause } from '../../packages/client/src/socket-fault.js';
import { selfSigned } from '../support/certificate.js';
import { eventually } from '../support/eventually.js';
import { observe, ScriptedBroker, welcome } from './scripted-broker.js';

const servers: { close(): unknown }[] = [];
const clients: { disconnect(): void }[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  for (const client of clients.splice(0)) client.disconnect();
  for (const server of servers.splice(0)) server.close();
});

function seat(...args: Parameters<typeof observe>) {
  const observed = observe(...args);
  clients.push(observed.client);
  return observed;
}

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

/** Answers every handshake with a status. */
function refusing(status: number, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  const server = createHttpServer();
  server.on('upgrade', (_, socket) => {
    socket.on('error', () => {}); // The client hangs up as soon as it has read the status.
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${status} No\r\n${lines.join('')}Content-Length: 0\r\n\r\n`);
  });
  return listen(server);
}

async function firstCause(observed: ReturnType<typeof observe>) {
  await observed.event('reconnecting');
  const [event] = observed.all('reconnecting');
  return (event as { cause: ReturnType<typeof faultCause> }).cause;
}

describe('why there is no connection', () => {
  it.for([429, 502, 503])('a handshake that is answered with %i is tried again', async (status) => {
    const observed = seat(`ws://127.0.0.1:${await refusing(status)}`);
    expect(await firstCause(observed)).toMatchObject({ kind: 'status', status });
    expect(observed.all('error')[0]).toMatchObject({ code: 'connection_failed', cause: { status } });
  });

  it('keeps the Retry-After of the answer', async () => {
    const observed = seat(`ws://127.0.0.1:${await refusing(503, { 'Retry-After': '7' })}`);
    expect(await firstCause(observed)).toMatchObject({ status: 503, retryAfterMs: 7_000 });
    expect(observed.all('reconnecting')[0]).toMatchObject({ inMs: expect.closeTo(7_002, -1) });
  });

  it.for([400, 403, 404, 405, 426, 431])('%i is final, until a person acts', async (status) => {
    const observed = seat(`ws://127.0.0.1:${await refusing(status)}`);
    await observed.state('denied');
    const { message } = statusCause(status);
    expect(observed.all('denied')).toEqual([{ code: 1006, reason: 'handshake_refused', message }]);
    expect(message).toContain(String(status));
    expect(observed.all('reconnecting')).toEqual([]);
  });

  it('asks for another token after 401', async () => {
    const needs: string[] = [];
    const url = `ws://127.0.0.1:${await refusing(401)}`;
    seat(url, { getToken: (need) => `token-${needs.push(need)}` });
    await eventually(() => needs.length >= 2);
    expect(needs.slice(0, 2)).toEqual(['connect', 'token_expired']);
  });

  it('tells that nobody listens', async () => {
    const port = await refusing(503);
    for (const server of servers.splice(0)) server.close();
    expect(await firstCause(seat(`ws://127.0.0.1:${port}`))).toMatchObject({ kind: 'refused' });
  });

  it('tells that there is no such host', async () => {
    const { kind } = await firstCause(seat('ws://no-such-host.invalid'));
    expect(kind).toBe('host_not_found');
  });

  it('tells that the certificate is not accepted', async () => {
    const port = await listen(createTlsServer(selfSigned()));
    const cause = await firstCause(seat(`wss://127.0.0.1:${port}`));
    expect([cause.kind, cause.message]).toEqual(['tls', expect.stringContaining('SELF_SIGNED')]);
  });

  it('tells once of what stays the same, and again of another cause', async () => {
    let status = 503;
    const server = createHttpServer();
    server.on('upgrade', (_, socket) => {
      socket.on('error', () => {});
      socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
    });
    const observed = seat(`ws://127.0.0.1:${await listen(server)}`);
    await eventually(() => observed.all('reconnecting').length >= 3);
    expect(observed.all('error')).toHaveLength(1);
    status = 502;
    await eventually(() => observed.all('error').length === 2);
  });

  it('reads Retry-After as a date too, and as nothing where it is none', () => {
    const inAMinute = new Date(Date.now() + 60_000).toUTCString();
    expect(statusCause(503, inAMinute).retryAfterMs).toBeGreaterThan(50_000);
    expect(statusCause(503, 'soon').retryAfterMs).toBeUndefined();
  });
});

describe('where the platform tells nothing, as a browser', () => {
  /** A WebSocket that shows a page no more than a browser does. */
  class Silent extends EventTarget {
    readyState = 0;
    constructor() {
      super();
      setTimeout(() => {
        this.readyState = 3;
        this.dispatchEvent(Object.assign(new Event('close'), { code: 1006, reason: '' }));
      }, 1);
    }
    send() {}
    close() {}
  }
  const asPage = (url: string) => seat(url, { WebSocket: Silent as never });

  it('asks GET /v1/session with the token, and tells its status', async () => {
    const asked: unknown[] = [];
    const server = createHttpServer(({ url, headers }, response) => {
      asked.push([url, headers.authorization]);
      response.writeHead(503, { 'retry-after': '2' }).end();
    });
    const url = `ws://127.0.0.1:${await listen(server)}/soleseat/v1/connect`;
    const observed = asPage(url);
    expect(await firstCause(observed)).toMatchObject({ kind: 'status', status: 503, retryAfterMs: 2_000 });
    expect(asked).toEqual([['/soleseat/v1/session', 'Bearer a-token']]);
  });

  it('tells that only the WebSocket does not get through', async () => {
    const server = createHttpServer((_, response) => response.end('{}'));
    const cause = await firstCause(asPage(`ws://127.0.0.1:${await listen(server)}`));
    expect(cause.message).toContain('no WebSocket gets through');
  });

  it('asks once in 30 s, however often it tries', async () => {
    let asked = 0;
    const server = createHttpServer((_, response) => {
      asked++;
      response.writeHead(503).end();
    });
    const observed = asPage(`ws://127.0.0.1:${await listen(server)}`);
    await eventually(() => observed.all('reconnecting').length >= 5);
    expect(asked).toBe(1);
  });
});

describe('a proxy', () => {
  const none = {};
  const at = (url: string, environment: Record<string, string>, options = none) =>
    proxyFor(new URL(url), options, environment);

  it.for([
    ['wss://seats.example.com', { HTTPS_PROXY: 'http://p:3128' }, 'http://p:3128'],
    ['wss://seats.example.com', { https_proxy: 'p:3128' }, 'http://p:3128'],
    ['wss://seats.example.com', { HTTP_PROXY: 'http://p:3128' }, null],
    ['ws://seats.example.com', { HTTP_PROXY: 'http://p:3128' }, 'http://p:3128'],
    ['wss://seats.example.com', { ALL_PROXY: 'http://p:1' }, 'http://p:1'],
    ['wss://seats.example.com', { HTTPS_PROXY: '' }, null],
    ['ws://127.0.0.1:8080', { HTTP_PROXY: 'http://p:3128' }, null],
    ['ws://localhost:8080', { ALL_PROXY: 'http://p:3128' }, null],
    ['wss://seats.example.com', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'other.com, .example.com' }, null],
    ['wss://seats.example.com', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'ample.com' }, 'http://p:1'],
    ['wss://seats.example.com:8443', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'example.com:8443' }, null],
    ['wss://seats.example.com', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'example.com:8443' }, 'http://p:1'],
    ['wss://seats.example.com', { HTTPS_PROXY: 'http://p:1', no_proxy: '*' }, null],
    ['wss://[fd00::1]', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'fd00::1' }, null],
    ['wss://[fd00::1]:8443', { HTTPS_PROXY: 'http://p:1', NO_PROXY: '[fd00::1]:8443' }, null],
  ] as const)('of %s in the environment %j is %s', ([url, environment, proxy]) => {
    expect(at(url, environment)).toBe(proxy);
  });

  it('that the options name goes before that of the environment, and false is none', () => {
    const environment = { HTTPS_PROXY: 'http://p:1' };
    expect(at('wss://seats.example.com', environment, { proxy: 'http://own:2' })).toBe('http://own:2');
    expect(at('wss://seats.example.com', environment, { proxy: false })).toBeNull();
    expect(at('wss://seats.example.com', environment, { agent: {} })).toBeNull();
  });

  it('of another kind is told, as what it is', async () => {
    const broker = await ScriptedBroker.start();
    servers.push({ close: () => broker.stop() });
    await expect(proxyAgent('socks5://user:secret@p:1')).rejects.toThrow(/\(p:1\) is no HTTP proxy/);
    const observed = seat(broker.url, { proxy: 'socks5://p:1' });
    await observed.state('closed');
    expect(observed.all('error')[0]).toMatchObject({ code: 'socket_unavailable' });
  });

  it('is dialled through, by CONNECT', async () => {
    const broker = await ScriptedBroker.start();
    servers.push({ close: () => broker.stop() });
    const asked: string[] = [];
    const sockets: Socket[] = [];
    const proxy = createHttpServer();
    proxy.on('connect', ({ url = '' }, client: Socket) => {
      asked.push(url);
      const upstream = dial(Number(new URL(broker.url).port), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        client.pipe(upstream).pipe(client);
      });
      for (const socket of [client, upstream]) {
        socket.on('error', () => socket.destroy());
        sockets.push(socket);
      }
    });
    servers.push({ close: () => sockets.forEach((socket) => void socket.destroy()) });
    vi.stubEnv('HTTP_PROXY', `http://127.0.0.1:${await listen(proxy)}`);
    const observed = seat('ws://seats.invalid');
    (await broker.visit(1)).say(welcome());
    await observed.state('active');
    expect(asked).toEqual(['seats.invalid:80']);
  });
});

describe('the table of causes', () => {
  it.for([
    ['ENOTFOUND', 'host_not_found'],
    ['EAI_AGAIN', 'host_not_found'],
    ['ECONNREFUSED', 'refused'],
    ['ETIMEDOUT', 'timeout'],
    ['CERT_HAS_EXPIRED', 'tls'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'],
    ['ECONNRESET', 'network'],
    [undefined, 'network'],
  ] as const)('has %s as %s', ([code, kind]) => {
    expect(faultCause({ code, message: 'said the socket' })).toMatchObject({ kind });
  });
});
