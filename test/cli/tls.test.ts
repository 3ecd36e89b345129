import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { loadConfiguration } from '../../src/cli/configuration.js';
import { CommandFailure } from '../../src/cli/failure.js';
import { selfSigned } from '../support/certificate.js';
import { testTexts } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { testRedis } from '../support/redis.js';

const folder = mkdtempSync(join(tmpdir(), 'soleseat-tls-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const pair = selfSigned();
const cert = file('cert.pem', pair.cert);
const key = file('key.pem', pair.key);
const encryptedKey = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
}).privateKey;

describe('a certificate and its key', () => {
  it.each<readonly [string, string, Record<string, string>]>([
    ['a certificate without a key', 'SOLESEAT_TLS_KEY', { SOLESEAT_TLS_CERT: cert }],
    ['a key without a certificate', 'SOLESEAT_TLS_CERT', { SOLESEAT_TLS_KEY: key }],
    ['no such certificate', 'SOLESEAT_TLS_CERT', { SOLESEAT_TLS_CERT: `${cert}x`, SOLESEAT_TLS_KEY: key }],
    // As good as one without permission, which root could read.
    ['a key that cannot be read', 'SOLESEAT_TLS_KEY', { SOLESEAT_TLS_CERT: cert, SOLESEAT_TLS_KEY: folder }],
    ['a certificate that is none', 'SOLESEAT_TLS_CERT', { SOLESEAT_TLS_CERT: key, SOLESEAT_TLS_KEY: key }],
    ['a key that is none', 'SOLESEAT_TLS_KEY', { SOLESEAT_TLS_CERT: cert, SOLESEAT_TLS_KEY: cert }],
    [
      'an encrypted key',
      'SOLESEAT_TLS_KEY',
      { SOLESEAT_TLS_CERT: cert, SOLESEAT_TLS_KEY: file('encrypted.pem', encryptedKey) },
    ],
    [
      'the key of another certificate',
      'SOLESEAT_TLS_KEY',
      { SOLESEAT_TLS_CERT: cert, SOLESEAT_TLS_KEY: file('other.pem', selfSigned().key) },
    ],
    [
      'a certificate with a broken one after it',
      'SOLESEAT_TLS_CERT',
      { SOLESEAT_TLS_CERT: file('chain.pem', pair.cert + pair.cert.slice(0, -60)), SOLESEAT_TLS_KEY: key },
    ],
  ])('%s ends with 78, the setting named and nothing of it shown', (_, setting, files) => {
    const environment = testTexts('redis://127.0.0.1', files);
    const failure = failureOf(() => loadConfiguration({ environment }));
    expect(failure.exitCode).toBe(78);
    expect(failure.message.startsWith(`${setting} `)).toBe(true);
    for (const hidden of [folder, '-----BEGIN', pair.key.slice(40, 80)]) {
      expect(failure.message).not.toContain(hidden);
    }
  });

  it('that fit make serve speak TLS on the public port', async () => {
    const redis = await testRedis();
    const node = await NodeProcess.start(redis.url, { SOLESEAT_TLS_CERT: cert, SOLESEAT_TLS_KEY: key });
    const url = `wss://127.0.0.1:${node.ports.public}/v1/connect`;
    const ws = new WebSocket(url, 'soleseat.v1', { ca: pair.cert });
    await once(ws, 'open');
    ws.close();
    node.signal('SIGTERM');
    expect(await node.ended()).toBe(0);
    await redis.stop();
  });
});

function failureOf(act: () => unknown): CommandFailure {
  try {
    act();
  } catch (error) {
    if (error instanceof CommandFailure) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
