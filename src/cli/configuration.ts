import { KeyError, type KeyRing } from '../auth/keys.js';
import { keyRingFromSecret, keyRingFromText } from '../auth/read-keys.js';
import { ticketRingFromText } from '../auth/tickets.js';
import { firstEndOf } from '../base/certificates.js';
import { fileNamesOf, parseSettings, withoutLineEnd } from '../base/parse-settings.js';
import { type SettingFault, type Settings, type SettingTexts, settingsTable } from '../base/settings.js';
import { checkSettings } from '../base/settings-check.js';
import { readTextSync } from '../base/text-file.js';
import { checkTlsPair, TlsFault, type TlsPair } from '../gateway/tls.js';
import { isOrgName } from '../protocol/text.js';
import type { RedisTls } from '../store/connectors.js';
import { CommandFailure, exitCodes } from './failure.js';

export interface Configuration extends Loaded {
  readonly settings: Settings;
}

/** What the files that settings name hold. */
interface Loaded {
  /** Null where an identity provider has them. */
  readonly keys: KeyRing | null;
  /** The keys of admin tokens, where these have keys of their own. */
  readonly adminKeys: KeyRing | null;
  /** The private keys of tickets; null where there are no tickets. */
  readonly ticketKeys: KeyRing | null;
  readonly tls: TlsPair | null;
  readonly redisTls: RedisTls;
}

export interface ConfigurationSources {
  readonly environment: SettingTexts;
  /** A file of `NAME=value` lines. */
  readonly file?: string;
  /** `NAME=value` from flags; they outrank the environment, which outranks the file. */
  readonly set?: readonly string[];
  /** What a command presets, outranked by everything else. */
  readonly presets?: SettingTexts;
}

/** Reads and checks all settings, and loads the files that they name. Throws CommandFailure (78) naming every bad setting. */
export function loadConfiguration(sources: ConfigurationSources): Configuration {
  const settings = readSettings(sources);
  const load = loaders(settings);
  const [keys, adminKeys] = [load.keys(), load.adminKeys()];
  const ticketKeys = load.ticketKeys();
  return { settings, keys, adminKeys, ticketKeys, tls: load.tls(), redisTls: load.redisTls() };
}

/** Reads and checks all settings. Throws CommandFailure (78) naming every bad one. */
export function readSettings(sources: ConfigurationSources): Settings {
  const texts = gather(sources);
  const parsed = parseSettings({ ...texts, ...fromFiles(texts) });
  if (!parsed.ok) throw badSettings(parsed.faults);
  const faults = [...checkSettings(parsed.settings)];
  const { defaultOrg } = parsed.settings;
  if (defaultOrg !== '' && !isOrgName(defaultOrg))
    faults.push({ setting: settingsTable.defaultOrg.name, problem: 'cannot be the name of an org' });
  if (faults.length > 0) throw badSettings(faults);
  return parsed.settings;
}

/** What loads each file that settings name. Each throws CommandFailure (78) naming the setting. */
export function loaders(settings: Settings): { readonly [P in keyof Loaded]: () => Loaded[P] } {
  const { jwtSecret, jwtKeysFile, adminJwtSecret, adminJwtKeysFile } = settings;
  return {
    keys: () => loadKeys(jwtSecret, jwtKeysFile, 'SOLESEAT_JWT'),
    adminKeys: () => loadKeys(adminJwtSecret, adminJwtKeysFile, 'SOLESEAT_ADMIN_JWT'),
    ticketKeys: () => loadTicketKeys(settings.ticketKeysFile),
    tls: () => loadTls(settings),
    redisTls: () => loadRedisTls(settings),
  };
}

/** The files that the settings come from and that they name: what may change while a node runs. */
export function filesOf(sources: ConfigurationSources, settings: Settings): readonly string[] {
  const texts = gather(sources);
  const specs = Object.entries(settingsTable);
  const named = specs.flatMap(([property, one]) => [
    ...(one.kind === 'file' ? [String(settings[property as keyof Settings])] : []),
    ...fileNamesOf(one).map((name) => texts[name]?.trim() ?? ''),
  ]);
  return [sources.file ?? '', ...named].filter((file) => file !== '');
}

/** The texts that apply, by name, without checking them. */
export function gather({ environment, file, set = [], presets = {} }: ConfigurationSources): SettingTexts {
  const known = new Set<string>(
    Object.values(settingsTable).flatMap((one) => [one.name, ...fileNamesOf(one)]),
  );
  const isOurs = ([name]: [string, string | undefined]) => known.has(name) || name.startsWith('SOLESEAT_');
  const given: SettingTexts = {
    ...(file === undefined ? {} : readSettingsFile(file)),
    ...Object.fromEntries(Object.entries(environment).filter(isOurs)),
    ...pairs(set, '--set'),
  };
  return { ...outrankedBy(given, presets), ...given };
}

/** A preset is outranked by a file with the value, too: REDIS_URL by REDIS_URL_FILE. */
function outrankedBy(given: SettingTexts, presets: SettingTexts): SettingTexts {
  const hasFile = (name: string) =>
    Object.values(settingsTable).some(
      (one) => one.name === name && fileNamesOf(one).some((fileName) => given[fileName]),
    );
  return Object.fromEntries(Object.entries(presets).filter(([name]) => !hasFile(name)));
}

/** One setting of the environment, for commands that need no others: its text, or what its file holds. Null without either. */
export function environmentText(property: keyof Settings): string | null {
  const one = settingsTable[property];
  const texts = { ...process.env, ...fromFiles(process.env) };
  const text = withoutLineEnd(texts[one.name] ?? '');
  return text === '' ? null : text;
}

/** What files hold that settings like SOLESEAT_JWT_SECRET_FILE name. */
function fromFiles(texts: SettingTexts): SettingTexts {
  const found: Record<string, string> = {};
  for (const one of Object.values(settingsTable)) {
    for (const fileName of fileNamesOf(one)) {
      const file = texts[fileName]?.trim() ?? '';
      if (file === '') continue;
      if ((texts[one.name] ?? '') !== '')
        throw badSettings([{ setting: fileName, problem: `and ${one.name} exclude each other` }]);
      found[one.name] = readFile(fileName, file);
    }
  }
  return found;
}

function readSettingsFile(file: string): SettingTexts {
  let text: string;
  try {
    text = readTextSync(file);
  } catch {
    throw new CommandFailure('the settings file is missing or cannot be read', exitCodes.config);
  }
  const lines = text.split('\n').map((line) => line.trim());
  return pairs(
    lines.filter((line) => line !== '' && !line.startsWith('#')),
    'the settings file',
  );
}

function pairs(lines: readonly string[], where: string): SettingTexts {
  return Object.fromEntries(
    lines.map((line) => {
      const equals = line.indexOf('=');
      if (equals < 1) throw new CommandFailure(`${where}: each setting is NAME=value`, exitCodes.config);
      // As a shell would read it: `export NAME=value`.
      return [
        line
          .slice(0, equals)
          .replace(/^export\s/, '')
          .trim(),
        line.slice(equals + 1),
      ];
    }),
  );
}

/** Null where neither setting is given. */
function loadKeys(secret: string, file: string, prefix: string): KeyRing | null {
  if (secret === '' && file === '') return null;
  const setting = file === '' ? `${prefix}_SECRET` : `${prefix}_KEYS`;
  try {
    return file === '' ? keyRingFromSecret(secret) : keyRingFromText(readFile(setting, file));
  } catch (error) {
    throw error instanceof KeyError ? badSettings([{ setting, problem: error.message }]) : error;
  }
}

function loadTicketKeys(file: string): KeyRing | null {
  if (file === '') return null;
  const setting = settingsTable.ticketKeysFile.name;
  try {
    return ticketRingFromText(readFile(setting, file));
  } catch (error) {
    throw error instanceof KeyError ? badSettings([{ setting, problem: error.message }]) : error;
  }
}

function loadTls({ tlsCertFile, tlsKeyFile }: Settings): TlsPair | null {
  if (tlsCertFile === '') return null;
  return loadPair({ cert: 'SOLESEAT_TLS_CERT', key: 'SOLESEAT_TLS_KEY' }, tlsCertFile, tlsKeyFile);
}

function loadRedisTls(settings: Settings): RedisTls {
  const { redisTlsCaFile, redisTlsCertFile, redisTlsKeyFile, redisTlsServername: servername } = settings;
  const names = { cert: 'SOLESEAT_REDIS_TLS_CERT', key: 'SOLESEAT_REDIS_TLS_KEY' } as const;
  const ca = redisTlsCaFile === '' ? undefined : readFile('SOLESEAT_REDIS_TLS_CA', redisTlsCaFile);
  if (ca !== undefined) checkAuthorities(ca);
  return {
    ...(ca !== undefined && { ca }),
    ...(redisTlsCertFile !== '' && loadPair(names, redisTlsCertFile, redisTlsKeyFile)),
    ...(servername !== '' && { servername }),
  };
}

function checkAuthorities(ca: string): void {
  const fault = (problem: string) => badSettings([{ setting: 'SOLESEAT_REDIS_TLS_CA', problem }]);
  if (!ca.includes('-----BEGIN CERTIFICATE-----')) throw fault('holds no PEM certificate');
  try {
    firstEndOf(ca);
  } catch {
    throw fault('holds a certificate that cannot be read');
  }
}

/** A certificate with its key, checked. */
function loadPair(
  names: Readonly<Record<keyof TlsPair, string>>,
  certFile: string,
  keyFile: string,
): TlsPair {
  const pair = { cert: readFile(names.cert, certFile), key: readFile(names.key, keyFile) };
  try {
    return checkTlsPair(pair);
  } catch (error) {
    throw error instanceof TlsFault
      ? badSettings([{ setting: names[error.part], problem: error.message }])
      : error;
  }
}

/** The text of a file that a setting names. */
function readFile(setting: string, file: string): string {
  try {
    return readTextSync(file);
  } catch {
    throw badSettings([{ setting, problem: 'names a file that is missing or cannot be read' }]);
  }
}

function badSettings(faults: readonly SettingFault[]): CommandFailure {
  return new CommandFailure(
    faults.map(({ setting, problem }) => `${setting} ${problem}`).join('\n'),
    exitCodes.config,
  );
}
