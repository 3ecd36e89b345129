import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { provisionRedis } from '../../src/embedded/find-redis.js';
import { pickFreePort } from '../../src/embedded/redis-probe.js';
import { certificate } from '../support/certificate.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { PATIENT, testTexts } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { testRedis } from '../support/redis.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'soleseat-services-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

async function redisWith(...args: string[]) {
  const redis = await testRedis(args);
  ends.push(() => redis.stop());
  return redis;
}

/** A Redis of which nothing is asked but whether it answers. */
async function bareRedis(args: string[], port: number, tls?: ConnectionOptions): Promise<void> {
  const { path } = await provisionRedis();
  const child = spawn(path, ['--save', '', '--dir', folder, ...args], { stdio: 'ignore' });
  ends.push(() => child.kill('SIGKILL'));
  const options = {
    host: '127.0.0.1',
    port,
    retryStrategy: () => 50,
    enableReadyCheck: false,
    ...(tls && { tls }),
  };
  const probe = new Redis(options);
  probe.on('error', () => {});
  await eventually(() => probe.status === 'ready');
  probe.disconnect();
}

async function nodeOn(redisUrl: string, more: Record<string, string | undefined> = {}): Promise<NodeProcess> {
  const node = await NodeProcess.start(redisUrl, { ...PATIENT, SOLESEAT_LOG_LEVEL: 'info', ...more });
  ends.push(() => node.stop());
  return node;
}

async function seatAt(node: NodeProcess, user = 'ada'): Promise<Desktop> {
  const desktop = await Desktop.hello(node.ports.public, user, 'pc');
  await desktop.told('welcome');
  ends.push(() => desktop.ws.terminate());
  return desktop;
}

const without = (...commands: string[]) => commands.flatMap((command) => ['--rename-command', command, '']);

describe('a managed service', () => {
  it.each([
    ['CONFIG, CLIENT and SCRIPT', without('CONFIG', 'CLIENT', 'SCRIPT')],
    ['INFO too', without('CONFIG', 'CLIENT', 'SCRIPT', 'INFO')],
  ])('that keeps %s to itself works', async (_, args) => {
    const port = await pickFreePort();
    await bareRedis(['--port', String(port), ...args], port);
    const node = await nodeOn(`redis://127.0.0.1:${port}`);
    const first = await seatAt(node);
    await Desktop.hello(node.ports.public, 'ada', 'laptop');
    expect(await first.close()).toMatchObject({ code: 4509 });
    await eventually(async () => {
      const page = await (await fetch(`http://127.0.0.1:${node.ports.admin}/metrics`)).text();
      return /soleseat_redis_server_up\{.*\} 1/.test(page);
    });
    expect(node.lines.some((line) => line.includes('keeps INFO'))).toBe(args.includes('INFO'));
  });

  it('without EVALSHA is refused with that cause, also by a node that would wait', async () => {
    const redis = await redisWith(...without('EVALSHA'));
    const child = spawn(process.execPath, [main, 'serve'], {
      env: { ...process.env, ...testTexts(redis.url) },
    });
    let output = '';
    child.stderr.on('data', (text) => {
      output += text;
    });
    await once(child, 'close');
    expect([child.exitCode, output.includes('no EVALSHA')]).toEqual([69, true]);
  });
});

describe('a node whose Redis is not up yet', () => {
  const ask = async (port: number, path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => null);
    return answer === null ? null : { status: answer.status, text: await answer.text() };
  };

  it.each([
    ['redis', '', 'refused'],
    ['redis+sentinel', '/main', 'refused'],
    ['redis+cluster', '', 'lost'],
  ])('waits for it (%s), says so once, and goes on by itself', async (scheme, name, cause) => {
    const port = await pickFreePort();
    const [admin, open] = [await pickFreePort(), await pickFreePort()];
    const texts = {
      SOLESEAT_ADMIN_PORT: String(admin),
      SOLESEAT_PORT: String(open),
      SOLESEAT_LOG_LEVEL: 'info',
    };
    const env = { ...process.env, ...testTexts(`${scheme}://127.0.0.1:${port}${name}`, texts) };
    const child = spawn(process.execPath, [main, 'serve'], { env });
    ends.push(() => child.kill('SIGKILL'));
    let output = '';
    child.stderr.on('data', (text) => {
      output += text;
    });
    const whileAway = async () => (await ask(admin, '/readyz'))?.text.includes(`"cause":"${cause}"`);
    await eventually(whileAway);
    expect((await ask(admin, '/livez'))?.status).toBe(200);
    expect((await ask(admin, '/readyz'))?.status).toBe(503);
    expect((await ask(open, '/v1/session'))?.status).toBe(401);
    // Many attempts later there is still one line about it.
    const until = performance.now() + 5000;
    await eventually(async () => (await whileAway()) && performance.now() > until);
    const told = output.split('\n').filter((line) => line.includes('"place":"commands"'));
    expect(told).toHaveLength(1);
    if (scheme === 'redis') {
      await bareRedis(['--port', String(port)], port);
      await eventually(async () => (await ask(admin, '/readyz'))?.status === 200);
      const desktop = await Desktop.hello(open, 'ada', 'pc');
      await desktop.told('welcome');
      desktop.ws.terminate();
    }
    child.kill('SIGTERM');
    await once(child, 'close');
    expect(child.exitCode).toBe(0);
  });
});

describe('a Redis under TLS that asks for certificates', () => {
  const authority = certificate({ isAuthority: true });
  const ours = certificate({ by: authority });
  const clients = certificate({ by: authority });
  const args = (port: number, of: { cert: string; key: string }) => [
    '--port',
    '0',
    '--tls-port',
    String(port),
    '--tls-cert-file',
    file(`server-${port}.pem`, of.cert),
    '--tls-key-file',
    file(`server-${port}.key`, of.key),
    '--tls-ca-cert-file',
    file('ca.pem', authority.cert),
    '--tls-auth-clients',
    'yes',
  ];
  const probeTls = { ca: authority.cert, ...clients, checkServerIdentity: () => undefined };
  const ourSide = {
    SOLESEAT_REDIS_TLS_CA: file('ca.pem', authority.cert),
    SOLESEAT_REDIS_TLS_CERT: file('client.pem', clients.cert),
    SOLESEAT_REDIS_TLS_KEY: file('client.key', clients.key),
  };

  it('is met with a private authority and a certificate of our own', async () => {
    const port = await pickFreePort();
    await bareRedis(args(port, ours), port, probeTls);
    const node = await nodeOn(`rediss://127.0.0.1:${port}`, ourSide);
    await seatAt(node);
    const page = await (await fetch(`http://127.0.0.1:${node.ports.admin}/metrics`)).text();
    expect(page).toMatch(/certificate_expires_timestamp_seconds\{certificate="redis_ca"\} 2/);
    expect(page).toMatch(/certificate_expires_timestamp_seconds\{certificate="redis_client"\} 2/);
  });

  it('is known by the name in its certificate, where that is set', async () => {
    const port = await pickFreePort();
    const named = certificate({ by: authority, hosts: ['redis.internal'], isNamedOnly: true });
    await bareRedis(args(port, named), port, probeTls);
    const node = await nodeOn(`rediss://127.0.0.1:${port}`, {
      ...ourSide,
      SOLESEAT_REDIS_TLS_SERVERNAME: 'redis.internal',
    });
    await seatAt(node);
  });
});

describe('a password of Redis', () => {
  it('is changed without a restart: the next connection takes what the file says', async () => {
    const redis = await redisWith('--requirepass', 'first');
    const { port } = redis;
    const admin = new Redis({ port, password: 'first' });
    ends.push(() => admin.disconnect());
    const url = file('redis-url', `redis://:first@127.0.0.1:${port}\n`);
    const node = await nodeOn('', { REDIS_URL: undefined, REDIS_URL_FILE: url });
    const holder = await seatAt(node);
    writeFileSync(url, `redis://:second@127.0.0.1:${port}\n`);
    node.signal('SIGHUP');
    await eventually(() => node.lines.some((line) => line.includes('read anew')));
    await admin.config('SET', 'requirepass', 'second');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    const confirmed = holder.received.length;
    await eventually(() => holder.received.slice(confirmed).some(({ type }) => type === 'lease'));
    expect(await node.readiness()).toBe(200);
    expect(holder.closed).toBeNull();
    await seatAt(node, 'bob');
  });
});
