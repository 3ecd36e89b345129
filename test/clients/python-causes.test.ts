import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pickFreePort } from '../../src/embedded/redis-probe.js';
import { ScriptedBroker, sessionId, welcome } from '../client/scripted-broker.js';
import { selfSigned } from '../support/certificate.js';
import { eventually } from '../support/eventually.js';
import { startNode, tokenFor } from '../support/node.js';
import { faces, PythonSeat, type PythonSeatOptions, TokenServer } from '../support/python-seat.js';
import { useRedis } from '../support/redis.js';
import { casesOf } from '../support/scope.js';

const redis = useRedis();
let tokens: TokenServer;
const ends: (() => unknown)[] = [];

beforeEach(async () => {
  tokens = await TokenServer.start(() => tokenFor('ada'));
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  tokens.stop();
});

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Answers every handshake with that, and keeps what was asked. */
async function refuser(status: number, headers: OutgoingHttpHeaders = {}) {
  const asked: IncomingMessage[] = [];
  const server = createServer();
  server.on('upgrade', (request, socket) => {
    asked.push(request);
    socket.on('error', () => socket.destroy());
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(
      `HTTP/1.1 ${status} Refused\r\n${lines.join('')}Content-Length: 0\r\nConnection: close\r\n\r\n`,
    );
  });
  return { asked, url: `ws://127.0.0.1:${await listening(server)}` };
}

async function scripted(): Promise<ScriptedBroker> {
  const broker = await ScriptedBroker.start();
  ends.push(() => broker.stop());
  return broker;
}

describe.each(casesOf(faces, (face) => face === 'asyncio'))(
  'the Python library, %s, says why an attempt failed',
  (face) => {
    const start = (more: PythonSeatOptions) => {
      const seat = new PythonSeat(face, tokens, more);
      ends.push(() => seat.process.kill());
      return seat;
    };

    it.each([400, 403, 404, 405, 426, 431])('status %i is final', async (status) => {
      const { url, asked } = await refuser(status);
      const options = { connect_kwargs: { additional_headers: { Origin: 'https://app.example.com' } } };
      const seat = start({ url, options });
      const denied = await seat.told('denied');
      expect(denied).toMatchObject({ code: 1006, cause: { kind: 'status', status } });
      if (status === 403) expect(denied.message).toMatch(/https:\/\/app\.example\.com.*SOLESEAT_ORIGINS/);
      expect(asked[0]?.headers.origin).toBe('https://app.example.com');
      await seat.told('closed');
      seat.say('retry');
      await seat.told('denied', 2);
      expect(asked).toHaveLength(2);
    });

    it('429 and 503 wait for what Retry-After says, in seconds or as a date', async () => {
      const soon = await refuser(503, { 'Retry-After': '7' });
      const seat = start({ url: soon.url });
      const told = await seat.told('reconnecting');
      expect(told).toMatchObject({ cause: { kind: 'status', status: 503, retry_after_ms: 7_000 } });
      expect(told.in_ms).toBeGreaterThanOrEqual(7_000);
      seat.say('retry');
      await seat.told('reconnecting', 2);
      const later = await refuser(429, { 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() });
      const { in_ms } = await start({ url: later.url }).told('reconnecting');
      expect(in_ms).toBeGreaterThan(3_000_000);
    });

    it('401 asks for another token', async () => {
      const { url } = await refuser(401);
      const seat = start({ url });
      await seat.process.printed('need token_expired');
      expect(await seat.told('reconnecting')).toMatchObject({ cause: { kind: 'status', status: 401 } });
    });

    it('a redirect is not followed: the token would go to whoever is named there', async () => {
      const thief = await scripted();
      const { url } = await refuser(302, { Location: thief.url });
      const told = await start({ url }).told('reconnecting', 2);
      expect(['network', 'status']).toContain((told.cause as { kind: string }).kind);
      expect(thief.handshakes).toEqual([]);
    });

    it('nobody listens, nobody answers, no TLS, no token', async () => {
      const causeAt = async (url: string, options = {}) =>
        (await start({ url, options }).told('reconnecting')).cause;
      expect(await causeAt(`ws://127.0.0.1:${await pickFreePort()}`)).toMatchObject({ kind: 'refused' });
      const silent = await listening(createTcpServer((socket) => socket.on('error', () => {})));
      const options = { connect_timeout_ms: 400 };
      expect(await causeAt(`ws://127.0.0.1:${silent}`, options)).toMatchObject({ kind: 'timeout' });
      const { url } = await refuser(400);
      expect(await causeAt(url.replace('ws:', 'wss:'))).toMatchObject({ kind: 'tls' });
      tokens.answer = (response) => response.writeHead(500).end();
      expect(await causeAt(url)).toMatchObject({ kind: 'token', message: expect.stringContaining('500') });
    });

    it('a private CA is accepted where the program names it, and told where it does not', async () => {
      const pair = selfSigned();
      const node = await startNode(redis.url, {}, pair);
      const folder = mkdtempSync(join(tmpdir(), 'soleseat-ca-'));
      ends.push(
        () => node.stop(),
        () => rmSync(folder, { recursive: true }),
      );
      const authority = join(folder, 'ca.pem');
      writeFileSync(authority, pair.cert);
      const url = `https://127.0.0.1:${node.ports.public}`;
      const { cause } = await start({ url }).told('reconnecting');
      expect(cause).toMatchObject({
        kind: 'tls',
        message: expect.stringMatching(/self.signed.*ssl context/),
      });
      await start({ url, authority }).told('welcome');
    });

    it('a close code, and silence', async () => {
      const broker = await scripted();
      const seat = start({ url: broker.url });
      const first = await broker.visit(1);
      await first.hello();
      first.close(1013, 'store_unavailable');
      expect(await seat.told('reconnecting')).toMatchObject({
        code: 1013,
        cause: { kind: 'close', message: expect.stringContaining('Redis') },
      });
      const second = await broker.visit(2);
      await second.hello();
      second.say(welcome({ renewEveryMs: 100 }));
      expect(await seat.told('reconnecting', 2)).toMatchObject({ cause: { kind: 'silence' } });
      await eventually(() => second.closedWith !== null);
      expect(second.closedWith).toBe(4000);
      // The lease outlives the connection, and the session is asked for again.
      expect(seat.holds).toEqual([false, true]);
      const { resume, onConflict, attempt } = await (await broker.visit(3)).hello();
      expect([resume, onConflict, attempt]).toEqual([{ sessionId, epoch: 7 }, 'deny', 3]);
    });

    it('a connection that waits in a conflict and is lost comes back without a session and displaces nobody', async () => {
      const broker = await scripted();
      const seat = start({ url: broker.url });
      const holder = { machine: { name: 'laptop' }, since: 1 };
      const first = await broker.visit(1);
      const hello = await first.hello();
      first.say(welcome(), { type: 'conflict', holder });
      await seat.told('conflict');
      await seat.saysHolding(false);
      first.cut();
      const second = await broker.visit(2);
      const again = await second.hello();
      expect([hello.onConflict, again.onConflict, again.resume]).toEqual(['takeover', 'deny', undefined]);
      expect([again.instance, again.attempt]).toEqual([hello.instance, 2]);
      second.say({ type: 'conflict', holder });
      await seat.told('conflict', 2);
      seat.say('takeover');
      await second.until('takeover');
      expect(seat.all('state').map(({ state }) => state)).toContain('conflict');
    });

    it('an error that no close followed is forgotten at the next lease', async () => {
      const broker = await scripted();
      const seat = start({ url: broker.url });
      const first = await broker.visit(1);
      await first.hello();
      first.say(welcome(), { type: 'error', code: 'flapping', message: 'm', retryAfterMs: 120_000 });
      first.say({ type: 'lease', epoch: 7, ttlMs: 30_000 });
      await seat.told('lease');
      first.cut();
      expect((await seat.told('reconnecting')).in_ms).toBeLessThanOrEqual(500);
    });
  },
);
