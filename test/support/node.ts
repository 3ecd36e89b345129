import { keyRingFromSecret } from '../../src/auth/read-keys.js';
import { mintAdminToken, mintToken, type Role } from '../../src/auth/tokens.js';
import { parseSettings } from '../../src/base/parse-settings.js';
import type { Settings, SettingTexts } from '../../src/base/settings.js';
import { Broker } from '../../src/broker.js';
import type { TlsPair } from '../../src/gateway/tls.js';

export const SECRET = 'a secret for tests, of more than 32 bytes';
export const keys = keyRingFromSecret(SECRET);

/** Short times, so that what takes half a minute in production takes a second here. */
const quick: SettingTexts = {
  SOLESEAT_HOST: '127.0.0.1',
  SOLESEAT_PORT: '0',
  SOLESEAT_ADMIN_PORT: '0',
  SOLESEAT_JWT_SECRET: SECRET,
  SOLESEAT_LICENSE_MODE: 'open',
  SOLESEAT_LOG_LEVEL: 'silent',
  SOLESEAT_LEASE_TTL_MS: '3000',
  SOLESEAT_RENEW_EVERY_MS: '500',
  SOLESEAT_COMMAND_TIMEOUT_MS: '900',
  SOLESEAT_DRAIN_MS: '200',
  SOLESEAT_HANDSHAKES_PER_SECOND: '0',
  SOLESEAT_CONNECTIONS_PER_ADDRESS: '0',
  SOLESEAT_CLAIMS_PER_MINUTE: '0', // and so no limit of handshakes per address
};

/**
 * The first renewal comes after half the interval, which is longer than any test may take: what happens with these can
 * only have been told by a notice, or by a verification.
 */
export const SELDOM: SettingTexts = { SOLESEAT_LEASE_TTL_MS: '20m', SOLESEAT_RENEW_EVERY_MS: '10m' };

/** A busy machine may take longer over an answer of Redis than the tests allow by default. Leases are as with SELDOM. */
export const UNHURRIED: SettingTexts = { ...SELDOM, SOLESEAT_COMMAND_TIMEOUT_MS: '20s' };

/**
 * For crowds: no lease runs out and no command is given up because the machine is busy. What a slow Redis does to a node
 * is shown elsewhere.
 */
export const PATIENT: SettingTexts = {
  SOLESEAT_LEASE_TTL_MS: '60000',
  SOLESEAT_RENEW_EVERY_MS: '20000',
  SOLESEAT_COMMAND_TIMEOUT_MS: '10000',
};

export function testTexts(redisUrl: string, more: SettingTexts = {}): Record<string, string> {
  return { ...quick, REDIS_URL: redisUrl, ...more } as Record<string, string>;
}

export function testSettings(redisUrl: string, more: SettingTexts = {}): Settings {
  const parsed = parseSettings(testTexts(redisUrl, more));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return parsed.settings;
}

/** A broker node in this process. */
export async function startNode(
  redisUrl: string,
  more: SettingTexts = {},
  tls: TlsPair | null = null,
): Promise<Broker> {
  const broker = new Broker(testSettings(redisUrl, more), keys, { tls });
  await broker.start();
  return broker;
}

/** Why a node does not start there. */
export async function startProblem(redisUrl: string): Promise<string> {
  const broker = new Broker(testSettings(redisUrl), keys);
  const problem = await broker.start().then(
    () => 'it started',
    (error: Error) => error.message,
  );
  await broker.stop();
  return problem;
}

export function tokenFor(user: string, org = 'acme', expiresInSeconds = 3600): string {
  const [key] = keys.keys;
  if (key === undefined) throw new Error('the test key ring is empty');
  return mintToken({ key, user, org, issuer: 'soleseat', audience: 'soleseat', expiresInSeconds });
}

/** An admin token, of the admin of all orgs unless said otherwise. */
export function adminTokenFor(
  role: Role = 'admin',
  org = '*',
  expiresInSeconds = 3600,
  subject = `${role}@${org}`,
): string {
  const [key] = keys.keys;
  if (key === undefined) throw new Error('the test key ring is empty');
  return mintAdminToken({
    key,
    subject,
    role,
    org,
    issuer: 'soleseat',
    audience: 'soleseat-admin',
    expiresInSeconds,
  });
}
