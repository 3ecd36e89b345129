import { checkTrustedProxies } from './peer-address.js';
import { isLoopback, parseRedisUrl, readMapping } from './redis-url.js';
import { isSafeSource } from './safe-source.js';
import type { SettingFault, Settings } from './settings.js';

type Require = (holds: boolean, setting: string, problem: string) => void;

/** What is wrong with settings that each parse but do not fit together, or would be unsafe. */
export function checkSettings(settings: Settings): readonly SettingFault[] {
  const faults: SettingFault[] = [];
  const require: Require = (holds, setting, problem) => {
    if (!holds) faults.push({ setting, problem });
  };
  checkRedisUrl(settings, require);
  checkKeySources(settings, require);
  require(/^(auto|[1-9]\d{0,2})$/.test(
    settings.workers,
  ), 'SOLESEAT_WORKERS', 'must be auto, or a whole number from 1 to 999');
  require(settings.jwtIssuer !== '', 'SOLESEAT_JWT_ISSUER', 'must not be empty');
  require(settings.jwtAudience !== '', 'SOLESEAT_JWT_AUDIENCE', 'must not be empty');
  require(settings.adminJwtAudience !== '', 'SOLESEAT_ADMIN_JWT_AUDIENCE', 'must not be empty');
  require(settings.adminJwtAudience !==
    settings.jwtAudience, 'SOLESEAT_ADMIN_JWT_AUDIENCE', 'must differ from SOLESEAT_JWT_AUDIENCE');
  require(settings.commandTimeoutMs > 0, 'SOLESEAT_COMMAND_TIMEOUT_MS', 'must be above 0');
  require(settings.leaseTtlMs >
    3 *
      settings.commandTimeoutMs, 'SOLESEAT_LEASE_TTL_MS', 'must be above three times SOLESEAT_COMMAND_TIMEOUT_MS');
  require(settings.renewEveryMs > 0 &&
    settings.renewEveryMs * 2 <=
      settings.leaseTtlMs, 'SOLESEAT_RENEW_EVERY_MS', 'must be above 0 and at most half of SOLESEAT_LEASE_TTL_MS');
  require(settings.proxyProtocol === 'off' ||
    settings.trustedProxies.length >
      0, 'SOLESEAT_PROXY_PROTOCOL', 'needs SOLESEAT_TRUSTED_PROXIES: all others are closed');
  try {
    checkTrustedProxies(settings.trustedProxies);
  } catch {
    require(false, 'SOLESEAT_TRUSTED_PROXIES', 'must list addresses, networks like 10.0.0.0/8, or loopback, linklocal, uniquelocal');
  }
  require(settings.sweepEveryMs > 0, 'SOLESEAT_SWEEP_EVERY_MS', 'must be above 0');
  require(settings.probeEveryMs > 0, 'SOLESEAT_PROBE_EVERY_MS', 'must be above 0');
  require(settings.otlpEndpoint === '' ||
    /^https?:\/\/[^/]/.test(
      settings.otlpEndpoint,
    ), 'SOLESEAT_OTLP_ENDPOINT', 'must begin with http:// or https://');
  require(settings.metricsEveryMs > 0, 'SOLESEAT_METRICS_EVERY_MS', 'must be above 0');
  const both = 'is missing: TLS needs a certificate and its key';
  require(settings.tlsCertFile !== '' || settings.tlsKeyFile === '', 'SOLESEAT_TLS_CERT', both);
  require(settings.tlsKeyFile !== '' || settings.tlsCertFile === '', 'SOLESEAT_TLS_KEY', both);
  require(settings.messageBytes >= 1024, 'SOLESEAT_MESSAGE_BYTES', 'must be at least 1024');
  return faults;
}

function checkKeySources(settings: Settings, require: Require): void {
  const sources = Object.entries({
    SOLESEAT_JWT_SECRET: settings.jwtSecret,
    SOLESEAT_JWT_KEYS: settings.jwtKeysFile,
    SOLESEAT_JWKS_URL: settings.jwksUrl,
    SOLESEAT_OIDC_ISSUER: settings.oidcIssuer,
  });
  const [first, second] = sources.filter(([, text]) => text !== '').map(([name]) => name);
  const others = 'SOLESEAT_JWT_KEYS, SOLESEAT_JWKS_URL or SOLESEAT_OIDC_ISSUER';
  require(first !== undefined, 'SOLESEAT_JWT_SECRET', `is missing: give it, or ${others}`);
  require(second === undefined, second ?? '', `and ${first} exclude each other`);
  for (const [name, url] of sources.slice(2))
    require(url === '' ||
      isSafeSource(url), name, 'must be an https URL: keys that are read in the clear could be anybody’s');
  const admin = [settings.adminJwtSecret, settings.adminJwtKeysFile];
  require(admin.includes(''), 'SOLESEAT_ADMIN_JWT_KEYS', 'and SOLESEAT_ADMIN_JWT_SECRET exclude each other');
  for (const [name, secret] of [
    ['SOLESEAT_JWT_SECRET', settings.jwtSecret],
    ['SOLESEAT_ADMIN_JWT_SECRET', settings.adminJwtSecret],
  ] as const)
    require(secret === '' || Buffer.byteLength(secret) >= 32, name, 'must have at least 32 bytes');
}

function checkRedisUrl(settings: Settings, require: Require): void {
  if (settings.redisUrl === '') {
    require(false, 'REDIS_URL', 'is missing: give it like redis://127.0.0.1:6379, or try `soleseat dev`, which brings its own');
    return;
  }
  const both = 'is missing: a certificate for Redis needs its key, and a key its certificate';
  require(settings.redisTlsCertFile !== '' ||
    settings.redisTlsKeyFile === '', 'SOLESEAT_REDIS_TLS_CERT', both);
  require(settings.redisTlsKeyFile !== '' ||
    settings.redisTlsCertFile === '', 'SOLESEAT_REDIS_TLS_KEY', both);
  for (const pair of settings.redisAddressMap) {
    try {
      readMapping(pair);
    } catch (error) {
      require(false, 'SOLESEAT_REDIS_ADDRESS_MAP', (error as Error).message);
    }
  }
  try {
    const { isEncrypted, addresses } = parseRedisUrl(settings.redisUrl);
    require(isEncrypted ||
      settings.plaintextRedis ||
      addresses.every(({ host }) =>
        isLoopback(host),
      ), 'REDIS_URL', 'is plaintext to an address that is not loopback: begin it with rediss, or set SOLESEAT_ALLOW_PLAINTEXT_REDIS=true');
  } catch (error) {
    require(false, 'REDIS_URL', (error as Error).message);
  }
}
