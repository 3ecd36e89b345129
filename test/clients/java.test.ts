import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { Relay } from '../../chaos/relay.js';
import type { Broker } from '../../src/broker.js';
import { pickFreePort } from '../../src/embedded/redis-probe.js';
import { certificate } from '../support/certificate.js';
import type { ClientProcess } from '../support/client-process.js';
import { startConnectProxy } from '../support/connect-proxy.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import {
  BUILD_PATIENCE_MS,
  buildJava,
  type JavaBuild,
  type JavaProgram,
  startJavaProgram,
} from '../support/java-library.js';
import { startNode, tokenFor } from '../support/node.js';
import { useRedis } from '../support/redis.js';
import { TokenServer } from '../support/token-server.js';
import { seatOnceFree } from '../support/waiting.js';

const redis = useRedis();
let build: JavaBuild;
let node: Broker;
let other: Broker;
/** Its leases end within seconds, which a busy machine can be late for: only for what is about their end. */
let brief: Broker;
let target: number;
let relay: Relay;
let tokens: TokenServer;
const clients: ClientProcess[] = [];

beforeAll(async () => {
  build = await buildJava();
  const long = { SOLESEAT_LEASE_TTL_MS: '60000' };
  [node, other, brief] = await Promise.all([
    startNode(redis.url, long),
    startNode(redis.url, long),
    startNode(redis.url),
  ]);
  relay = await Relay.start({ target: () => target });
}, BUILD_PATIENCE_MS);
afterAll(async () => {
  relay.stop();
  await Promise.all([node.stop(), other.stop(), brief.stop()]);
});
beforeEach(async () => {
  await redis.client.flushall();
  target = node.ports.public;
  tokens = await TokenServer.start(() => tokenFor('ada'));
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.kill()));
  relay.heal();
  tokens.stop();
});

function start(
  more: Readonly<Record<string, string>> = {},
  program: Partial<JavaProgram> = {},
): ClientProcess {
  const url = `http://127.0.0.1:${relay.port}`;
  const client = startJavaProgram(build, {
    url,
    tokenUrl: tokens.url,
    machine: 'workstation',
    more,
    ...program,
  });
  clients.push(client);
  return client;
}

/** The line of an event of that name, with that in it. */
const event =
  (name: string, part = '') =>
  (line: string) =>
    line.startsWith(`event ${name}[`) && line.includes(part);
const holdsLines = (client: ClientProcess, from = 0) =>
  client.lines.slice(from).filter((line) => line.startsWith('holds '));
const leaseKey = 'soleseat:{acme}:lease:ada';

describe('a program with the Java library', () => {
  it('takes a seat, and both sides are told of a takeover', async () => {
    const client = start();
    await client.printed('holds true');
    const laptop = await Desktop.hello(node.ports.public, 'ada', 'laptop');
    expect((await laptop.told('welcome')).displaced).toEqual({ machine: { name: 'workstation' } });
    await client.printed(event('Evicted', 'reason=taken_over'));
    await client.printed(event('Closed', 'code=4509'));
    expect(client.lines.find(event('Evicted'))).toContain('byName=Optional[laptop]');
    expect(holdsLines(client)).toEqual(['holds false', 'holds true', 'holds false']);
    // A person takes it back.
    client.write('takeover\n');
    await client.printed(event('Welcome', 'displacedName=Optional[laptop]'));
    expect((await laptop.close()).code).toBe(4509);
  });

  it('comes back after kill -9, and its own old seat is no hindrance', async () => {
    const first = start();
    await first.printed('holds true');
    await first.kill();
    const second = start();
    await second.printed('holds true');
    expect(second.lines.filter(event('Evicted'))).toEqual([]);
    expect(second.lines.filter(event('Conflict'))).toEqual([]);
  });

  it('resumes on a path that is cut, and holds the seat all the while', async () => {
    const client = start();
    await client.printed(event('LeaseRenewed'));
    for (let cut = 0; cut < 3; cut++) {
      const said = client.lines.length;
      relay.cut({ refuses: false });
      await client.printed(event('Reconnecting', 'kind=NETWORK'), said);
      await client.printed(event('Welcome', 'resumed=true'), said);
      await client.printed(event('LeaseRenewed'), said);
    }
    expect(holdsLines(client)).toEqual(['holds false', 'holds true']);
  });

  it('moves to another node when its own is drained', async () => {
    const leaving = await startNode(redis.url, { SOLESEAT_LEASE_TTL_MS: '60000' });
    target = leaving.ports.public;
    const client = start();
    await client.printed(event('LeaseRenewed'));
    const said = client.lines.length;
    target = other.ports.public;
    await leaving.stop();
    await client.printed(event('Welcome', 'resumed=true'), said);
    await client.printed(event('LeaseRenewed'), said);
    expect(client.lines.find(event('Reconnecting'))).toMatch(/code=1012.*kind=CLOSE/);
    expect(holdsLines(client)).toEqual(['holds false', 'holds true']);
  });

  it('refreshes its token on the open connection', async () => {
    // The broker warns at half of its time, and the library asks for no more than one token in 5 s.
    tokens.token = () => tokenFor('ada', 'acme', 12);
    const client = start();
    const isRefresh = (line: string) => line === 'token TOKEN_EXPIRING';
    await eventually('two refreshes', () => client.lines.filter(isRefresh).length >= 2);
    const said = client.lines.length;
    await client.printed(event('LeaseRenewed'), said);
    expect(client.lines.filter(event('Reconnecting'))).toEqual([]);
    expect(client.lines.filter((line) => line === 'token CONNECT')).toHaveLength(1);
  });

  it('fetches another token where the last one ended', async () => {
    let given = 0;
    tokens.token = () => tokenFor('ada', 'acme', given++ === 0 ? -10 : 3600);
    const client = start();
    await client.printed('holds true');
    expect(client.lines.filter((line) => line.startsWith('token '))).toEqual([
      'token CONNECT',
      'token TOKEN_EXPIRED',
    ]);
    await client.printed(event('Reconnecting', 'code=4001'));
  });

  it('goes on after a token source that hangs or fails', async () => {
    tokens.mode = 'hangs';
    const client = start({ TEST_TOKEN_TIMEOUT: 'PT0.3S' });
    await client.printed(
      event('Failed', 'token_unavailable, message=the token source gave no token within 300 ms'),
    );
    await client.printed(event('Reconnecting', 'kind=TOKEN'));
    tokens.mode = 'fails';
    await client.printed(event('Failed', 'message=the token server answered 500'));
    tokens.mode = 'gives';
    await client.printed('holds true');
  });

  it('gives the seat back', async () => {
    const client = start();
    await client.printed('holds true');
    client.write('release\n');
    expect(await client.ended()).toBe(0);
    expect(await redis.client.exists(leaseKey)).toBe(0);
    expect(holdsLines(client).at(-1)).toBe('holds false');
  });

  it('leaves without giving the seat back', async () => {
    const client = start();
    await client.printed('holds true');
    client.write('quit\n');
    expect(await client.ended()).toBe(0);
    expect(await redis.client.exists(leaseKey)).toBe(1);
  });

  it('waits no longer than it says where nobody answers the release', async () => {
    const client = start();
    await client.printed('holds true');
    relay.hold('up', 'down');
    client.write('close\n');
    await client.printed((line) => line.startsWith('closed after '));
    const tookMs = Number(client.lines.find((line) => line.startsWith('closed after '))?.split(' ')[2]);
    expect(tookMs).toBeGreaterThan(1_900);
    expect(holdsLines(client)).toEqual(['holds false', 'holds true', 'holds false']);
  });

  it('waits where another machine has the seat, and takes it when a person says so', async () => {
    target = brief.ports.public;
    const client = start();
    await client.printed('holds true');
    relay.cut({ refuses: true });
    await client.printed('holds false', 2);
    await client.printed(event('LeaseExpired'));
    const laptop = await seatOnceFree(brief.ports.public, 'ada', 'laptop');
    relay.heal();
    await client.printed(event('Conflict', 'holderName=Optional[laptop]'));
    expect(laptop.closed).toBeNull();
    const said = client.lines.length;
    client.write('takeover\n');
    await client.printed('holds true', said);
    expect((await laptop.close()).code).toBe(4509);
  });

  it('believes in no lease after a stop that was longer, though it hears nothing', async () => {
    target = brief.ports.public;
    const client = start();
    await client.printed(event('LeaseRenewed'));
    client.signal('SIGSTOP');
    const laptop = await seatOnceFree(brief.ports.public, 'ada', 'laptop');
    const said = client.lines.length;
    // Its own clock has to tell it: neither an eviction nor a conflict comes through.
    relay.hold('up', 'down');
    client.signal('SIGCONT');
    await client.printed('holds false', said);
    await client.printed(event('LeaseExpired'), said);
    relay.heal();
    await client.printed((line) => event('Conflict')(line) || event('Evicted')(line), said);
    expect(holdsLines(client, said)).toEqual(['holds false']);
    expect(laptop.closed).toBeNull();
  });

  it('judges the lease first after a sleep, then resumes at once', async () => {
    const client = start({ TEST_SLEEPS: 'yes', TEST_WAIT: 'PT10M' });
    await client.printed(event('LeaseRenewed'));
    client.write('sleep\n');
    await client.printed(event('LeaseExpired'));
    await client.printed(event('Welcome', 'resumed=true'));
    await client.printed('holds true', client.lines.findIndex(event('LeaseExpired')));
    expect(client.lines.find(event('Reconnecting'))).toContain('in=PT0S');
    expect(holdsLines(client)).toEqual(['holds false', 'holds true', 'holds false', 'holds true']);
  });

  it('cuts its wait short after a sleep', async () => {
    relay.cut({ refuses: true });
    const client = start({ TEST_SLEEPS: 'yes', TEST_WAIT: 'PT10M' });
    await client.printed(event('Reconnecting'));
    relay.heal();
    client.write('sleep\n');
    await client.printed('holds true');
  });

  it('is not hurt by a listener that throws', async () => {
    const client = start({ TEST_THROWS: 'yes' });
    await client.printed((line) => line.startsWith('later Welcome['));
    const isHeardLater = (line: string) => line.startsWith('later LeaseRenewed[');
    await eventually('two renewals', () => client.lines.filter(isHeardLater).length >= 2);
    expect(client.holds).toBe(true);
  });

  it('calls listeners by the executor of the program, in order', async () => {
    const client = start({ TEST_POOL: 'yes' });
    await client.printed(event('LeaseRenewed'));
    await client.printed((line) => line.startsWith('thread '), client.lines.findIndex(event('LeaseRenewed')));
    const threads = new Set(client.lines.filter((line) => line.startsWith('thread ')));
    expect([...threads]).toEqual(['thread callback-of-the-program']);
    const events = client.lines
      .filter((line) => line.startsWith('event '))
      .map((line) => line.split(/[ []/)[1]);
    expect(events.slice(0, 3)).toEqual(['StateChanged', 'Welcome', 'LeaseRenewed']);
  });

  it('keeps no program alive', async () => {
    const client = start({}, { main: 'KeepsNothingAlive' });
    expect(await client.ended()).toBe(0);
    expect(client.lines).toContain('main returns');
  });
});

describe('a handshake that fails is told with its cause', () => {
  const refusing = async (status: number, headers: Record<string, string> = {}) => {
    const server = createServer((_, response) => response.writeHead(status, headers).end());
    server.on('upgrade', (_, socket) => {
      socket.on('error', () => {}); // The client hangs up as soon as it has read the status.
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.end(`HTTP/1.1 ${status} No\r\n${lines.join('')}Content-Length: 0\r\nConnection: close\r\n\r\n`);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, stop: () => server.close() };
  };

  it('for a path where no broker is', async () => {
    const client = start({}, { url: `ws://127.0.0.1:${node.ports.public}/elsewhere` });
    await client.printed(event('Denied', 'status=OptionalInt[404]'));
    expect(client.lines.find(event('Denied'))).toContain('/v1/connect');
    expect(client.lines.filter(event('Reconnecting'))).toEqual([]);
  });

  it.each([400, 403, 405, 426, 431])('for good with %i, until a person tries again', async (status) => {
    const server = await refusing(status);
    const client = start({}, { url: server.url });
    await client.printed(event('Denied', `status=OptionalInt[${status}]`));
    if (status === 403) expect(client.lines.find(event('Denied'))).toContain('SOLESEAT_ORIGINS');
    const said = client.lines.length;
    client.write('retry\n');
    await client.printed(event('Denied'), said);
    server.stop();
  });

  it('with 503 and how long to wait', async () => {
    const server = await refusing(503, { 'Retry-After': '7' });
    const client = start({}, { url: server.url });
    await client.printed(event('Reconnecting', 'status=OptionalInt[503], retryAfter=Optional[PT7S]'));
    expect(client.lines.find(event('Reconnecting'))).toMatch(/in=PT7(\.\d+)?S/);
    server.stop();
  });

  it('with 401, and asks for another token', async () => {
    const server = await refusing(401);
    const client = start({}, { url: server.url });
    await client.printed('token TOKEN_EXPIRED');
    server.stop();
  });

  it('where nobody listens', async () => {
    const client = start({}, { url: `ws://127.0.0.1:${await pickFreePort()}` });
    await client.printed(event('Reconnecting', 'kind=REFUSED'));
  });

  it('for a token that is not accepted, until a person tries again', async () => {
    tokens.token = () => 'nonsense';
    const client = start();
    await client.printed(event('Denied', 'code=4501'));
    tokens.token = () => tokenFor('ada');
    client.write('retry\n');
    await client.printed('holds true');
  });
});

describe('a program behind what companies have', () => {
  it('trusts the private CA that it is given, and no other', async () => {
    const pair = certificate();
    const secure = await startNode(redis.url, {}, pair);
    const folder = mkdtempSync(join(tmpdir(), 'soleseat-java-'));
    const authority = join(folder, 'authority.pem');
    writeFileSync(authority, pair.cert);
    const url = `wss://127.0.0.1:${secure.ports.public}`;
    const stranger = start({}, { url, machine: 'stranger' });
    await stranger.printed(event('Reconnecting', 'kind=TLS'));
    const client = start({ TEST_AUTHORITY: authority }, { url });
    await client.printed(event('LeaseRenewed'));
    await Promise.all([client.kill(), stranger.kill()]);
    await secure.stop();
    rmSync(folder, { recursive: true });
  });

  it('goes through a proxy', async () => {
    const proxy = await startConnectProxy();
    // The proxy leads there; nobody else does.
    const client = start({ TEST_PROXY_PORT: `${proxy.port}` });
    await client.printed(event('LeaseRenewed'));
    expect(proxy.targets).toContain(`127.0.0.1:${relay.port}`);
    proxy.stop();
  });
});

describe('what a broker may send', () => {
  it('is read in fragments, and passed over where it cannot be', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const welcome =
      '{"type":"welcome","sessionId":"s","epoch":7,"resumed":false,"ttlMs":30000,"renewEveryMs":10000,"license":null,"elapsedMs":0}';
    server.on('connection', (socket) =>
      socket.on('message', () => {
        socket.send(Buffer.from('binary'));
        socket.send('not JSON');
        socket.send('{"type":"of_later","deep":[[[]]]}');
        socket.send(`{"type":"of_later","long":"${'x'.repeat(1_000_000)}"}`);
        for (const part of welcome.slice(0, -1)) socket.send(part, { fin: false });
        socket.send('}', { fin: true });
      }),
    );
    const client = start({}, { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` });
    await client.printed(event('Welcome', 'epoch=7'));
    expect(client.lines.filter(event('Reconnecting'))).toEqual([]);
    await client.kill();
    server.close();
  });
});
