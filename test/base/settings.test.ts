import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../src/base/parse-settings.js';
import type { SettingTexts } from '../../src/base/settings.js';
import { checkSettings } from '../../src/base/settings-check.js';

const good = { REDIS_URL: 'redis://127.0.0.1:6379', SOLESEAT_JWT_SECRET: 'x'.repeat(32) };

function faultsOf(texts: SettingTexts) {
  const parsed = parseSettings({ ...good, ...texts });
  return parsed.ok ? checkSettings(parsed.settings) : parsed.faults;
}

describe('settings', () => {
  it.each<readonly [string, string, string]>([
    ['an unknown name', 'SOLESEAT_HOTS', 'secret-value'],
    ['a short secret', 'SOLESEAT_JWT_SECRET', 'secret-value'],
    ['a second source of keys', 'SOLESEAT_JWKS_URL', 'https://login.example/keys'],
    ['a third one', 'SOLESEAT_OIDC_ISSUER', 'https://login.example'],
    ['a short secret of admin tokens', 'SOLESEAT_ADMIN_JWT_SECRET', 'secret-value'],
    ['an unknown preset of claims', 'SOLESEAT_CLAIMS', 'secret-value'],
    ['an empty audience', 'SOLESEAT_JWT_AUDIENCE', ''],
    ['an empty issuer', 'SOLESEAT_JWT_ISSUER', ''],
    ['an admin audience that is the clients’', 'SOLESEAT_ADMIN_JWT_AUDIENCE', 'soleseat'],
    ['Origin *', 'SOLESEAT_ORIGINS', 'https://a.example,*'],
    ['plaintext Redis elsewhere', 'REDIS_URL', 'redis://redis.example:6379'],
    ['plaintext Sentinels elsewhere', 'REDIS_URL', 'redis+sentinel://127.0.0.1,redis.example/main'],
    ['a plaintext cluster elsewhere', 'REDIS_URL', 'redis+cluster://127.0.0.1,redis.example:7000'],
    ['Sentinels without the name of a master', 'REDIS_URL', 'rediss+sentinel://redis.example'],
    ['a Redis URL of another scheme', 'REDIS_URL', 'http://127.0.0.1'],
    ['a Redis URL that is none', 'REDIS_URL', 'secret-value'],
    ['a value in quotes', 'SOLESEAT_JWT_ISSUER', '"https://login.example"'],
    ['a secret in quotes', 'SOLESEAT_JWT_SECRET', "'a secret that has more than 32 bytes'"],
    ['a number in quotes', 'SOLESEAT_PORT', '"80"'],
    ['a line end within', 'SOLESEAT_JWT_SECRET', `${'x'.repeat(20)}\n${'y'.repeat(20)}`],
    ['port 70000', 'SOLESEAT_PORT', '70000'],
    ['port -1', 'SOLESEAT_ADMIN_PORT', '-1'],
    ['a malformed duration', 'SOLESEAT_DRAIN_MS', '10 parsecs'],
    ['a TTL not above three command timeouts', 'SOLESEAT_LEASE_TTL_MS', '6000'],
    ['a renewal too seldom', 'SOLESEAT_RENEW_EVERY_MS', '15001'],
    ['a flag that is none', 'SOLESEAT_ALLOW_PLAINTEXT_REDIS', 'yes'],
    ['an unknown license mode', 'SOLESEAT_LICENSE_MODE', 'free-for-all'],
  ])('refuse %s by name and without the value', (_, name, value) => {
    const faults = faultsOf({ [name]: value });
    expect(faults.map(({ setting }) => setting)).toContain(name);
    if (value.length > 8) expect(JSON.stringify(faults)).not.toContain(value);
  });

  it.each<readonly [string, SettingTexts]>([
    ['a provider', { SOLESEAT_JWT_SECRET: '', SOLESEAT_OIDC_ISSUER: 'https://login.example/realms/a' }],
    ['keys on this machine', { SOLESEAT_JWT_SECRET: '', SOLESEAT_JWKS_URL: 'http://127.0.0.1:8081/keys' }],
    ['the address of a Service of this name', { SOLESEAT_PORT: 'tcp://10.0.0.1:8080' }],
    [
      'what Kubernetes injects for Services beside it',
      {
        SOLESEAT_ADMIN_PORT: 'tcp://10.0.0.2:9090',
        SOLESEAT_ADMIN_PORT_9090_TCP: 'tcp://10.0.0.2:9090',
        SOLESEAT_ADMIN_SERVICE_HOST: '10.0.0.2',
        SOLESEAT_REDIS_MASTER_SERVICE_PORT_TCP_REDIS: '6379',
        SOLESEAT_REDIS_PORT: 'tcp://10.0.0.3:6379',
        SOLESEAT_UDP_PORT_53_UDP_ADDR: '10.0.0.4',
      },
    ],
    [
      'values that were left empty',
      { SOLESEAT_PORT: '', SOLESEAT_LEASE_TTL_MS: '', SOLESEAT_LICENSE_MODE: '' },
    ],
    ['values with blanks around', { SOLESEAT_PORT: ' 80 ', SOLESEAT_LICENSE_MODE: 'auto\t' }],
    ['what Kubernetes injects', { SOLESEAT_SERVICE_HOST: '10.0.0.1', SOLESEAT_PORT_8080_TCP_PORT: '8080' }],
    [
      'plaintext Redis elsewhere on request',
      { REDIS_URL: 'redis://redis.example', SOLESEAT_ALLOW_PLAINTEXT_REDIS: 'true' },
    ],
    ['Sentinels on this machine', { REDIS_URL: 'redis+sentinel://127.0.0.1:26379,[::1]:26380/main' }],
    ['an encrypted cluster', { REDIS_URL: 'rediss+cluster://a.example:6379,b.example:6379' }],
    ['durations with units', { SOLESEAT_LEASE_TTL_MS: '1m', SOLESEAT_RENEW_EVERY_MS: '10s' }],
  ])('accept %s', (_, texts) => {
    expect(faultsOf(texts)).toEqual([]);
  });

  it('give every fault at once', () => {
    expect(faultsOf({ SOLESEAT_PORT: '70000', SOLESEAT_DRAIN_MS: 'x', SOLESEAT_X: '' })).toHaveLength(3);
  });
});

it.each(['http://login.example', 'ftp://127.0.0.1/', 'login.example'])(
  'refuses to read keys at %s',
  (url) => {
    for (const name of ['SOLESEAT_JWKS_URL', 'SOLESEAT_OIDC_ISSUER']) {
      const faults = faultsOf({ SOLESEAT_JWT_SECRET: '', [name]: url });
      expect(faults.map(({ setting }) => setting)).toEqual([name]);
    }
  },
);

it('takes the provider for the issuer, unless another one is set', () => {
  const texts = { ...good, SOLESEAT_JWT_SECRET: '', SOLESEAT_OIDC_ISSUER: 'https://login.example' };
  const issuerOf = (more: SettingTexts) => {
    const parsed = parseSettings({ ...texts, ...more });
    return parsed.ok && parsed.settings.jwtIssuer;
  };
  expect(issuerOf({})).toBe('https://login.example');
  expect(issuerOf({ SOLESEAT_JWT_ISSUER: 'me' })).toBe('me');
});

it('takes a line end off, of secrets too, and nothing else of those', () => {
  const secretOf = (text: string) => {
    const parsed = parseSettings({ ...good, SOLESEAT_JWT_SECRET: text });
    return parsed.ok && parsed.settings.jwtSecret;
  };
  const secret = ` ${'x'.repeat(32)} `;
  for (const end of ['', '\n', '\r\n', '\n\n']) expect(secretOf(secret + end)).toBe(secret);
});

it('takes the port that is set, and not the one that Kubernetes means', () => {
  const portOf = (text: string) => {
    const parsed = parseSettings({ ...good, SOLESEAT_PORT: text });
    return parsed.ok ? parsed.settings.port : parsed.faults;
  };
  expect([portOf('tcp://10.0.0.1:9999'), portOf('9999')]).toEqual([8080, 9999]);
  expect(portOf('http://10.0.0.1:9999')).toMatchObject([{ setting: 'SOLESEAT_PORT' }]);
});
