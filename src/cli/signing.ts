import { randomBytes } from 'node:crypto';
import { settingsTable } from '../base/settings.js';
import { type Configuration, type ConfigurationSources, gather, loadConfiguration } from './configuration.js';
import { DEV_FOLDER, devKeyFile, existingDevPresets } from './dev-presets.js';
import { CommandFailure, exitCodes } from './failure.js';

/** What signs tokens at the command line. */
export interface Signing {
  readonly configuration: Configuration;
  /** Where the key comes from, for the person. */
  readonly keySource: string;
}

const clientKeys = [
  settingsTable.jwtKeysFile.name,
  settingsTable.jwtSecret.name,
  `${settingsTable.jwtSecret.name}_FILE`,
  settingsTable.jwksUrl.name,
  settingsTable.oidcIssuer.name,
];
const adminKeys = [
  settingsTable.adminJwtKeysFile.name,
  settingsTable.adminJwtSecret.name,
  `${settingsTable.adminJwtSecret.name}_FILE`,
];

/**
 * The settings to sign a token with. Without a key among them, the key that `soleseat dev` has left in this folder signs.
 * Nothing is written: a command that signs makes no secret. Throws CommandFailure (78) where there is no key.
 */
export function signingFor(sources: ConfigurationSources, { isAdmin }: { isAdmin: boolean }): Signing {
  const texts = gather(sources);
  const firstOf = (names: readonly string[]) => names.find((name) => (texts[name] ?? '').trim() !== '');
  const ofClients = firstOf(clientKeys);
  const own = (isAdmin ? firstOf(adminKeys) : undefined) ?? ofClients;
  const presets = ofClients === undefined ? existingDevPresets(DEV_FOLDER) : {};
  if (own === undefined && presets === null) throw noKey(isAdmin);
  const redis = { REDIS_URL: 'redis://127.0.0.1:6379' };
  // Settings are not whole without a key for clients. This one signs nothing and ends with the command.
  const filler = presets === null ? { SOLESEAT_JWT_SECRET: randomBytes(32).toString('base64url') } : {};
  const configuration = loadConfiguration({ ...sources, presets: { ...presets, ...filler, ...redis } });
  return { configuration, keySource: own ?? `the development key ${devKeyFile(DEV_FOLDER)}` };
}

/** Says on stderr which key signed: stdout is for the token. */
export function sayKey(
  { keySource }: Signing,
  { kid, isJson }: { kid?: string; isJson?: boolean } = {},
): void {
  const source = kid === undefined ? keySource : `${keySource}, kid ${kid}`;
  console.error(isJson ? JSON.stringify({ signedWith: source }) : `Signed with ${source}.`);
}

function noKey(isAdmin: boolean): CommandFailure {
  const names = isAdmin ? 'SOLESEAT_ADMIN_JWT_SECRET, SOLESEAT_JWT_SECRET' : 'SOLESEAT_JWT_SECRET';
  return new CommandFailure(
    `there is no key to sign with: give ${names} or SOLESEAT_JWT_KEYS, or call this in the folder where \`soleseat dev\` runs, which has ${devKeyFile(DEV_FOLDER)}`,
    exitCodes.config,
  );
}
