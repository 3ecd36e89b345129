import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyRingFromText } from '../../src/auth/read-keys.js';
import { mintToken } from '../../src/auth/tokens.js';
import { selfSigned } from '../support/certificate.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { PATIENT } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();
const folder = mkdtempSync(join(tmpdir(), 'soleseat-renewal-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string) => join(folder, name);

const keysOf = (...kids: string[]) =>
  JSON.stringify({
    keys: kids.map((kid) => ({ kty: 'oct', kid, k: Buffer.alloc(32, kid).toString('base64url') })),
  });

/** As Kubernetes mounts files: each is a link into a folder, and that is a link which changes at once. */
let version = 0;
function mount(files: Record<string, string>): void {
  const next = `v${version++}`;
  mkdirSync(path(next));
  for (const [name, text] of Object.entries(files)) writeFileSync(path(`${next}/${name}`), text);
  symlinkSync(next, path('next'));
  renameSync(path('next'), path('current'));
}

function tokenOf(kid: string, user: string): string {
  const [key] = keyRingFromText(keysOf(kid)).keys;
  if (key === undefined) throw new Error('no key');
  return mintToken({
    key,
    user,
    org: 'acme',
    issuer: 'soleseat',
    audience: 'soleseat',
    expiresInSeconds: 600,
  });
}

let node: NodeProcess;
let holder: Desktop;
const [first, second] = [selfSigned(), selfSigned()];

/** Says hello with a token of that key, and gives the code of the close or the welcome. */
async function answerTo(kid: string, user = `user-${kid}`): Promise<number | 'welcome'> {
  const desktop = await say(kid, user);
  await eventually(() => desktop.find('welcome') ?? desktop.closed);
  desktop.ws.terminate();
  return desktop.closed?.code ?? 'welcome';
}

async function say(kid: string, user: string): Promise<Desktop> {
  const url = `wss://127.0.0.1:${node.ports.public}/v1/connect`;
  const desktop = await Desktop.open(node.ports.public, null, { rejectUnauthorized: false }, undefined, url);
  desktop.say({ type: 'hello', machine: { id: 'pc' }, token: tokenOf(kid, user) });
  return desktop;
}

function certificateShown(): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect(
      { host: '127.0.0.1', port: node.ports.public, rejectUnauthorized: false },
      () => {
        resolve(socket.getPeerX509Certificate()?.toString() ?? '');
        socket.destroy();
      },
    ).on('error', reject);
  });
}

beforeEach(async () => {
  mount({ 'keys.json': keysOf('a'), 'cert.pem': first.cert, 'key.pem': first.key });
  writeFileSync(path('settings'), 'SOLESEAT_LOG_LEVEL=warn\n');
  node = await NodeProcess.start(
    redis.url,
    {
      ...PATIENT,
      SOLESEAT_LOG_LEVEL: undefined,
      SOLESEAT_JWT_SECRET: undefined,
      SOLESEAT_JWT_KEYS: path('current/keys.json'),
      SOLESEAT_TLS_CERT: path('current/cert.pem'),
      SOLESEAT_TLS_KEY: path('current/key.pem'),
    },
    { options: ['--config', path('settings')] },
  );
  holder = await say('a', 'holder');
  await holder.told('welcome');
});

afterEach(async () => {
  holder.ws.terminate();
  await node.stop();
  await redis.client.flushall();
});

const logged = (text: string) => node.lines.some((line) => line.includes(text));

describe('while a node runs, without touching a session', () => {
  it('keys and certificates are read anew when the content of their files has changed', async () => {
    expect(await answerTo('b')).toBe(4002);
    mount({ 'keys.json': keysOf('b'), 'cert.pem': second.cert, 'key.pem': second.key });
    await eventually(async () => (await answerTo('b')) === 'welcome');
    expect(await answerTo('a')).toBe(4002);
    await eventually(async () => (await certificateShown()) === second.cert);
    expect(holder.closed).toBeNull();
    expect(holder.received.filter(({ type }) => type === 'welcome')).toHaveLength(1);
  });

  it('and at SIGHUP, the log level too', async () => {
    writeFileSync(path('settings'), 'SOLESEAT_LOG_LEVEL=info\nSOLESEAT_JEOPARDY_GRACE_MS=1s\n');
    node.signal('SIGHUP');
    await eventually(() => logged('read anew'));
    expect(node.lines.find((line) => line.includes('from the next start on'))).toContain(
      'SOLESEAT_JEOPARDY_GRACE_MS',
    );
    expect(holder.closed).toBeNull();
  });

  it.each([
    ['keys that are none', { 'keys.json': '{"keys":[]}' }, 'SOLESEAT_JWT_KEYS'],
    ['half a file', { 'keys.json': keysOf('a').slice(0, 30) }, 'SOLESEAT_JWT_KEYS'],
    ['a key of another certificate', { 'key.pem': second.key }, 'SOLESEAT_TLS_KEY'],
    ['no certificate', { 'cert.pem': '' }, 'SOLESEAT_TLS_CERT'],
  ])('%s stay unused: what was there before serves on, and the log says so', async (_, files, setting) => {
    const good = { 'keys.json': keysOf('a', 'b'), 'cert.pem': first.cert, 'key.pem': first.key };
    mount({ ...good, ...files });
    node.signal('SIGHUP');
    await eventually(() => logged('what was in place before stays'));
    expect(node.lines.find((line) => line.includes('what was in place'))).toContain(setting);
    expect(await answerTo('a')).toBe('welcome');
    expect(await certificateShown()).toBe(first.cert);
    // What is well is taken all the same.
    expect(await answerTo('b')).toBe('keys.json' in files ? 4002 : 'welcome');
    expect(holder.closed).toBeNull();
  });

  it('another source of keys waits for the next start, and the old one stays', async () => {
    writeFileSync(path('other.json'), keysOf('z'));
    writeFileSync(path('settings'), `SOLESEAT_JWT_ISSUER=other\nSOLESEAT_LOG_LEVEL=info\n`);
    node.signal('SIGHUP');
    await eventually(() => logged('read anew'));
    expect(node.lines.find((line) => line.includes('from the next start on'))).toContain(
      'SOLESEAT_JWT_ISSUER',
    );
    expect([await answerTo('a'), await answerTo('z')]).toEqual(['welcome', 4002]);
  });

  it('a settings file that is nonsense ends nothing', async () => {
    writeFileSync(path('settings'), 'SOLESEAT_NONSENSE=1\n');
    node.signal('SIGHUP');
    await eventually(() => logged('SOLESEAT_NONSENSE'));
    rmSync(path('settings'));
    // Also at a look of its own: two of them.
    const until = performance.now() + 11_000;
    await eventually(() => performance.now() > until);
    node.signal('SIGHUP');
    await eventually(() => logged('the settings file is missing'));
    expect(await answerTo('a')).toBe('welcome');
    expect(holder.closed).toBeNull();
  });
});
