import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { provisionRedis } from '../../src/embedded/find-redis.js';
import { pickFreePort } from '../../src/embedded/redis-probe.js';
import { type RedisProcess, startRedis } from '../../src/embedded/redis-process.js';
import { selfSigned } from '../support/certificate.js';
import { testTexts } from '../support/node.js';
import { casesOf } from '../support/scope.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'soleseat-redis-causes-'));
let redis: RedisProcess;
let store: Redis;
let tlsPort: number;
let closedPort: number;
const web = createServer((socket) => {
  // A real one also closes, which may come first.
  socket.on('error', () => {}).once('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
});

beforeAll(async () => {
  const { path } = await provisionRedis({ onProgress: () => {} });
  const { cert, key } = selfSigned();
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
  [tlsPort, closedPort] = [await pickFreePort(), await pickFreePort()];
  const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', certFile];
  const extraArgs = ['--tls-port', String(tlsPort), ...files, '--tls-auth-clients', 'no'];
  redis = await startRedis({ binary: path, extraArgs });
  store = new Redis(redis.url);
  await once(web.listen(0, '127.0.0.1'), 'listening');
  await store.call('ACL', 'SETUSER', 'node', 'on', '>right', '~*', '&*', '+@all');
});
afterAll(async () => {
  store.disconnect();
  web.close();
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function run(command: string, redisUrl: string): Promise<{ code: number | null; output: string }> {
  const env = { ...process.env, ...testTexts(redisUrl, { SOLESEAT_LOG_LEVEL: 'info' }) };
  const child = spawn(process.execPath, [main, ...command.split(' ')], { env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output };
}

interface StartCase {
  readonly what: string;
  readonly url: () => string;
  readonly says: string;
  readonly mayBeStopped: boolean;
  readonly begin?: () => Promise<unknown>;
  readonly end?: () => Promise<unknown>;
}

const cases: readonly StartCase[] = [
  {
    what: 'nothing listens there',
    url: () => `redis://127.0.0.1:${closedPort}`,
    says: 'nothing listens at its address (connect ECONNREFUSED',
    mayBeStopped: true,
  },
  {
    what: 'it is frozen',
    url: () => redis.url,
    says: 'does not answer in time',
    mayBeStopped: true,
    begin: async () => redis.kill('SIGSTOP'),
    end: async () => redis.kill('SIGCONT'),
  },
  {
    what: 'the password is wrong',
    url: () => redis.url.replace('redis://', 'redis://node:very-wrong@'),
    says: 'does not accept the user or the password (WRONGPASS',
    mayBeStopped: false,
  },
  {
    what: 'its certificate is signed by nobody known',
    url: () => `rediss://127.0.0.1:${tlsPort}`,
    says: 'its certificate is not accepted',
    mayBeStopped: false,
  },
  {
    what: 'it speaks TLS there, and REDIS_URL does not',
    url: () => `redis://127.0.0.1:${tlsPort}`,
    says: 'REDIS_URL must begin with rediss://',
    mayBeStopped: false,
  },
  {
    what: 'something else answers there',
    url: () => `redis://127.0.0.1:${(web.address() as AddressInfo).port}`,
    says: 'speaks another protocol',
    mayBeStopped: false,
  },
  {
    what: 'it has as many clients as it may have',
    url: () => redis.url,
    says: 'as many connections as it may have (ERR max number of clients reached',
    mayBeStopped: false,
    begin: () => store.config('SET', 'maxclients', '1'),
    end: () => store.config('SET', 'maxclients', '1000'),
  },
];

describe.each(['serve --no-wait', 'doctor'])('%s ends with 69 and says why, where', (command) => {
  // Both find it out by the same code.
  const own = casesOf(cases, ({ what }) => command !== 'doctor' || what === 'nothing listens there');
  it.each(own)('$what', async ({ url, says, mayBeStopped, begin, end }) => {
    await begin?.();
    const { code, output } = await run(command, url()).finally(() => end?.());
    expect(code, output).toBe(69);
    expect(output.replace(': connect', ' (connect').replace(/: (WRONGPASS|ERR max)/, ' ($1')).toContain(says);
    // It is asked only where it may be so.
    expect(output.includes('Is Redis running'), output).toBe(mayBeStopped);
    expect(output).not.toContain('very-wrong');
  });
});
