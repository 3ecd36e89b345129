import { isLoopback, parseRedisUrl } from './redis-url.js';
import type { SettingFault, Settings } from './settings.js';

/** What is wrong with settings that each parse but do not fit together, or would be unsafe. */
export function checkSettings(settings: Settings): readonly SettingFault[] {
  const faults: SettingFault[] = [];
  const require = (holds: boolean, setting: string, problem: string) => {
    if (!holds) faults.push({ setting, problem });
  };
  checkRedisUrl(settings, require);
  require(settings.jwtSecret !== '' ||
    settings.jwtKeysFile !== '', 'SOLESEAT_JWT_SECRET', 'is missing: give it, or SOLESEAT_JWT_KEYS');
  require(settings.jwtSecret === '' ||
    settings.jwtKeysFile === '', 'SOLESEAT_JWT_KEYS', 'and SOLESEAT_JWT_SECRET exclude each other');
  require(settings.jwtSecret === '' ||
    Buffer.byteLength(settings.jwtSecret) >= 32, 'SOLESEAT_JWT_SECRET', 'must have at least 32 bytes');
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
  require(!settings.origins.includes(
    '*',
  ), 'SOLESEAT_ORIGINS', "must list origins; * would let any page use a visitor's seat");
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

function checkRedisUrl(
  settings: Settings,
  require: (holds: boolean, setting: string, problem: string) => void,
): void {
  if (settings.redisUrl === '') {
    require(false, 'REDIS_URL', 'is missing: give it like redis://127.0.0.1:6379, or try `soleseat dev`, which brings its own');
    return;
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
