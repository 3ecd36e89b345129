import { claimMapping } from '../auth/claim-mapping.js';
import type { AdminClaims, ClientClaims } from '../auth/claims.js';
import { TokenGate } from '../auth/gate.js';
import { KeySet, type KeysRead } from '../auth/key-set.js';
import type { KeyRing } from '../auth/keys.js';
import { keyRingFromText } from '../auth/read-keys.js';
import { jwksAt, keysOfIssuer } from '../auth/remote-keys.js';
import { createAdminTokenVerifier, createTokenVerifier } from '../auth/tokens.js';
import { type Settings, settingsTable } from '../base/settings.js';
import { readText } from '../base/text-file.js';
import type { WallClock } from '../base/wall-clock.js';
import type { Basics } from './basics.js';

/** A provider's keys are read again at this age, so that those it has withdrawn do not serve for ever. */
const MAX_AGE_MS = 10 * 60_000;

export interface TokenKeysParts extends Basics {
  /** What a file or a secret held at the start; null where an identity provider has the keys. */
  readonly keys: KeyRing | null;
  /** Likewise, where admin tokens have keys of their own. */
  readonly adminKeys: KeyRing | null;
  readonly wallMs: WallClock;
}

/** The doors' judges of tokens, and the keys that they judge by. */
export interface TokenKeys {
  readonly clients: TokenGate<ClientClaims>;
  readonly admins: TokenGate<AdminClaims>;
  /** Whether tokens of clients can be judged at all. */
  readonly isReady: () => boolean;
  start(): void;
  /** Puts keys in place that were read anew, and reads those that an identity provider has. */
  renew(read: { readonly keys: KeyRing | null; readonly adminKeys: KeyRing | null }): void;
  close(): void;
}

export function openKeys(parts: TokenKeysParts): TokenKeys {
  const { settings, adminKeys, wallMs, log, metrics, clock } = parts;
  const senses = { log, metrics, clock };
  const clientSet = new KeySet({
    ...senses,
    audience: 'client',
    initial: parts.keys,
    ...clientSource(settings),
  });
  const hasOwnKeys = adminKeys !== null || parts.keys === null;
  const adminSet = hasOwnKeys
    ? new KeySet({ ...senses, audience: 'admin', initial: adminKeys, ...adminSource(settings) })
    : clientSet;
  const common = { clock: () => wallMs() / 1000, leewayMs: settings.jwtLeewayMs };
  const own = settingsTable.jwtIssuer.default;
  const clientTokens = createTokenVerifier({
    ...common,
    keys: clientSet,
    issuer: settings.jwtIssuer,
    audience: settings.jwtAudience,
    mapping: claimMapping(settings),
    lifeMaxMs: settings.tokenLifeMaxMs,
  });
  const adminTokens = createAdminTokenVerifier({
    ...common,
    keys: adminSet,
    issuer: hasOwnKeys ? [settings.jwtIssuer, own] : settings.jwtIssuer,
    audience: settings.adminJwtAudience,
  });
  const sets = [...new Set([clientSet, adminSet])];
  return {
    clients: new TokenGate(clientTokens, senses),
    admins: new TokenGate(adminTokens, senses),
    isReady: () => clientSet.ring !== null,
    start() {
      for (const set of sets) set.start();
      if (hasOwnKeys && adminKeys === null)
        log.warn('no admin token can be good: set SOLESEAT_ADMIN_JWT_SECRET or SOLESEAT_ADMIN_JWT_KEYS');
    },
    renew(read) {
      if (read.keys !== null) clientSet.replace(read.keys);
      else if (parts.keys === null) void clientSet.reload();
      if (read.adminKeys !== null && adminSet !== clientSet) adminSet.replace(read.adminKeys);
    },
    close() {
      for (const set of sets) set.close();
    },
  };
}

type Source = Pick<ConstructorParameters<typeof KeySet>[0], 'setting' | 'read' | 'maxAgeMs'>;

function clientSource(settings: Settings): Source {
  const { oidcIssuer, jwksUrl, jwtIssuer, jwtKeysFile } = settings;
  if (jwksUrl !== '')
    return { setting: settingsTable.jwksUrl.name, read: jwksAt(jwksUrl), maxAgeMs: MAX_AGE_MS };
  if (oidcIssuer === '') return fileSource(settingsTable.jwtKeysFile.name, jwtKeysFile);
  const read = keysOfIssuer(oidcIssuer);
  // An issuer that is set beside the provider counts, and not what the provider calls itself.
  const isProviders = jwtIssuer === oidcIssuer;
  return {
    setting: settingsTable.oidcIssuer.name,
    read: isProviders ? read : async () => ({ ring: (await read()).ring }),
    maxAgeMs: MAX_AGE_MS,
  };
}

function adminSource({ adminJwtKeysFile }: Settings): Source {
  return fileSource(settingsTable.adminJwtKeysFile.name, adminJwtKeysFile);
}

function fileSource(setting: string, file: string): Source {
  if (file === '') return { setting, read: null, maxAgeMs: null };
  const read = async (): Promise<KeysRead> => ({ ring: keyRingFromText(await readText(file)) });
  return { setting, read, maxAgeMs: null };
}
