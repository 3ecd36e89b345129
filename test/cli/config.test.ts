import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const good = {
  REDIS_URL: 'redis://127.0.0.1:6379',
  SOLESEAT_JWT_SECRET: 'a secret of no fewer than 32 bytes',
};

function run(args: readonly string[], env: Record<string, string>) {
  return spawnSync(process.execPath, [main, ...args], {
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
  });
}

it('good settings pass the check', () => {
  expect(run(['config', 'check'], good).status).toBe(0);
});

it.each([
  ['an unknown setting', 'SOLESEAT_LEASE_TTL', '31337'],
  ['a TTL not above three command timeouts', 'SOLESEAT_LEASE_TTL_MS', '5999'],
  ['a short secret', 'SOLESEAT_JWT_SECRET', 'hunter2hunter2'],
  ['an empty audience', 'SOLESEAT_JWT_AUDIENCE', ''],
  ['an empty issuer', 'SOLESEAT_JWT_ISSUER', ''],
  ['any Origin', 'SOLESEAT_ORIGINS', '*'],
  ['plaintext to another host', 'REDIS_URL', 'redis://:hunter2hunter2@redis.example.com:6379'],
  ['Sentinels without a master', 'REDIS_URL', 'redis+sentinel://:hunter2hunter2@127.0.0.1:26379'],
  [
    'a cluster with a password behind the ?',
    'REDIS_URL',
    'redis+cluster://127.0.0.1:7000?password=hunter2hunter2',
  ],
  ['a secret beside its file', 'SOLESEAT_JWT_SECRET_FILE', '/dev/null'],
  ['a port out of range', 'SOLESEAT_PORT', '70000'],
  ['a malformed duration', 'SOLESEAT_RENEW_EVERY_MS', '10 apples'],
])('%s ends with 78, named but not shown', (_, name, value) => {
  const { status, stderr } = run(['config', 'check'], { ...good, [name]: value });
  expect(status).toBe(78);
  expect(stderr).toContain(name);
  if (value.length > 1) expect(stderr).not.toContain(value);
});

describe('a key file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'soleseat-keys-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const secret = { kty: 'oct', k: Buffer.from('a secret of no fewer than 32 bytes').toString('base64url') };
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
  const check = (file: string) =>
    run(['config', 'check'], { REDIS_URL: good.REDIS_URL, SOLESEAT_JWT_KEYS: file });

  it.each([
    ['that is missing', () => join(folder, 'nothing.json')],
    // As good as one without permission, which root could read.
    ['that cannot be read', () => folder],
    ['with alg none', () => write({ keys: [{ ...secret, alg: 'none' }] })],
    ['with a secret mixed into an RSA key', () => write({ keys: [{ ...rsa, k: secret.k }] })],
  ])('%s ends with 78, the setting named and nothing of it shown', (_, fileOf) => {
    const file = fileOf();
    const { status, stdout, stderr } = check(file);
    expect(status).toBe(78);
    expect(stderr).toContain('SOLESEAT_JWT_KEYS');
    for (const hidden of [file, folder, secret.k.slice(0, 40), rsa.n]) {
      expect(stdout + stderr).not.toContain(hidden);
    }
  });

  function write(content: unknown): string {
    const file = join(folder, `keys-${Math.random()}.json`);
    writeFileSync(file, JSON.stringify(content));
    return file;
  }
});

describe('config print', () => {
  const print = (env: Record<string, string>) => run(['config', 'print'], { ...good, ...env });

  it.each([
    ['REDIS_URL', 'redis://ada:hunter2@redis:6379/0'],
    ['REDIS_URL', 'redis://:hunter2@host:not-a-port'],
    ['REDIS_URL', 'redis://hunter2@host'],
    ['REDIS_URL', 'redis://:hunter2/x@host'],
    ['REDIS_URL', ':hunter2@host'],
    ['REDIS_URL', 'redis://host?auth_pass=hunter2'],
    ['REDIS_URL', '"redis://:hunter2@host"'],
    ['SOLESEAT_OTLP_ENDPOINT', 'https://ada:hunter2@traces.example.com'],
    ['SOLESEAT_OTLP_ENDPOINT', 'https://ada:hunter2@traces.example.com:x'],
    ['SOLESEAT_OTLP_ENDPOINT', 'https://ada:hun/ter@hunter2@traces.example.com'],
    ['SOLESEAT_OTLP_ENDPOINT', 'https://traces.example.com?api-key=hunter2'],
    ['SOLESEAT_OTLP_ENDPOINT', 'traces.example.com?api-key=hunter2'],
    ['SOLESEAT_JWKS_URL', 'https://ada:hunter2@id.example.com/keys'],
    ['SOLESEAT_OIDC_ISSUER', 'https://ada:hunter2@id.example.com'],
    ['SOLESEAT_ADMIN_URL', 'ada:hunter2@broker:9090'],
    ['SOLESEAT_ORIGINS', 'https://app.example.com,https://ada:hunter2@app.example.com'],
    ['SOLESEAT_JWT_SECRET', 'hunter2'],
  ])('shows no password of %s=%s', (name, value) => {
    for (const more of [[], ['--json']]) {
      const { status, stdout, stderr } = run(['config', 'print', ...more], { ...good, [name]: value });
      expect([status, stdout.includes(name)]).toEqual([0, true]);
      expect(stdout + stderr).not.toContain('hunter2');
    }
  });

  it.each([
    ['SOLESEAT_OTLP_ENDPOINT', 'https://traces.example.com:4318/base'],
    ['SOLESEAT_JWT_ISSUER', 'urn:example:issuer'],
    ['SOLESEAT_ORIGINS', 'https://app.example.com,app://desk'],
    ['REDIS_URL', 'redis+cluster://10.0.0.1:7000,[::1]:7001'],
  ])('shows %s=%s as it is', (name, value) => {
    expect(print({ [name]: value }).stdout).toContain(value);
  });
});

it('what Kubernetes injects for a service of this name is no setting of ours', () => {
  const injected = { SOLESEAT_SERVICE_HOST: '10.0.0.1', SOLESEAT_PORT_8080_TCP: 'tcp://10.0.0.1:8080' };
  expect(run(['config', 'check'], { ...good, ...injected }).status).toBe(0);
});

it('serve without REDIS_URL refuses to start and says what to do', () => {
  const { status, stderr } = run(['serve'], { SOLESEAT_JWT_SECRET: good.SOLESEAT_JWT_SECRET });
  expect(status).toBe(78);
  expect(stderr).toContain('REDIS_URL');
});

it('serve with no Redis there ends with 69, where it is not to wait', () => {
  expect(
    run(['serve', '--no-wait'], {
      ...good,
      REDIS_URL: 'redis://127.0.0.1:1',
      SOLESEAT_PORT: '0',
      SOLESEAT_ADMIN_PORT: '0',
    }).status,
  ).toBe(69);
});

it.each([
  [['frobnicate']],
  [['serve', '--frobnicate']],
  [['token', 'mint']],
  [['connect', '--url', 'example.com', '--token', 'x']],
])('%s ends with 2', (args) => {
  expect(run(args, good).status).toBe(2);
});

describe('settings from a file, alike from --config and from the files of secrets', () => {
  const folder = mkdtempSync(join(tmpdir(), 'soleseat-settings-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, content: string | Buffer) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const secret = 'a secret of no fewer than 32 bytes';
  const withSecret = (content: string | Buffer) =>
    run(['config', 'check'], {
      REDIS_URL: good.REDIS_URL,
      SOLESEAT_JWT_SECRET_FILE: file('secret', content),
    });
  const withConfig = (content: string | Buffer) =>
    run(['config', 'check', '--config', file('settings', content)], {});
  const lines = `REDIS_URL=${good.REDIS_URL}\nexport SOLESEAT_JWT_SECRET=${secret}\n`;

  it.each([
    ['as it is', secret],
    ['with a line end', `${secret}\r\n`],
    ['as Windows writes it', Buffer.from(`\ufeff${secret}\r\n`, 'utf16le')],
    ['with a byte order mark', `\ufeff${secret}\n`],
  ])('a secret %s', (_, content) => {
    expect(withSecret(content).stderr).toBe('');
  });

  it.each([
    ['as it is', lines],
    ['with comments and empty lines', `# ours\n\n${lines}`],
    ['with line ends of Windows', lines.replaceAll('\n', '\r\n')],
    ['as Windows writes it', Buffer.from(`\ufeff${lines}`, 'utf16le')],
  ])('a settings file %s', (_, content) => {
    expect(withConfig(content).stderr).toBe('');
  });

  it('an empty or missing secret, and quotes, end with 78', () => {
    for (const content of ['', '\n', `"${secret}"`]) {
      const { status, stderr } = withSecret(content);
      expect([status, stderr.includes('SOLESEAT_JWT_SECRET')]).toEqual([78, true]);
    }
    const env = { REDIS_URL: good.REDIS_URL, SOLESEAT_JWT_SECRET_FILE: join(folder, 'nothing') };
    expect(run(['config', 'check'], env)).toMatchObject({ status: 78 });
    expect(withConfig(lines.replace(secret, `'${secret}'`))).toMatchObject({ status: 78 });
  });
});
