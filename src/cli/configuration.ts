import { KeyError, type KeyRing } from '../auth/keys.js';
import { keyRingFromSecret, keyRingFromText } from '../auth/read-keys.js';
import { parseSettings } from '../base/parse-settings.js';
import { type SettingFault, type Settings, type SettingTexts, settingsTable } from '../base/settings.js';
import { checkSettings } from '../base/settings-check.js';
import { readTextSync } from '../base/text-file.js';
import { checkTlsPair, TlsFault, type TlsPair } from '../gateway/tls.js';
import { isOrgName } from '../protocol/text.js';
import { CommandFailure, exitCodes } from './failure.js';

export interface Configuration {
  readonly settings: Settings;
  /** Null where an identity provider has them. */
  readonly keys: KeyRing | null;
  /** Those of admin tokens, where they have keys of their own. */
  readonly adminKeys: KeyRing | null;
  readonly tls: TlsPair | null;
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
  const texts = gather(sources);
  const parsed = parseSettings(texts);
  if (!parsed.ok) throw badSettings(parsed.faults);
  const faults = [...checkSettings(parsed.settings)];
  const { defaultOrg } = parsed.settings;
  if (defaultOrg !== '' && !isOrgName(defaultOrg))
    faults.push({ setting: settingsTable.defaultOrg.name, problem: 'cannot be the name of an org' });
  if (faults.length > 0) throw badSettings(faults);
  const { settings } = parsed;
  const keys = loadKeys(settings.jwtSecret, settings.jwtKeysFile, 'SOLESEAT_JWT');
  const adminKeys = loadKeys(settings.adminJwtSecret, settings.adminJwtKeysFile, 'SOLESEAT_ADMIN_JWT');
  return { settings, keys, adminKeys, tls: loadTls(settings) };
}

/** The texts that apply, by name, without checking them. */
export function gather({ environment, file, set = [], presets = {} }: ConfigurationSources): SettingTexts {
  const known = new Set<string>(Object.values(settingsTable).map((one) => one.name));
  const isOurs = ([name]: [string, string | undefined]) => known.has(name) || name.startsWith('SOLESEAT_');
  const fromFile = file === undefined ? {} : readSettingsFile(file);
  return {
    ...presets,
    ...fromFile,
    ...Object.fromEntries(Object.entries(environment).filter(isOurs)),
    ...pairs(set, '--set'),
  };
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
      return [line.slice(0, equals).trim(), line.slice(equals + 1).trim()];
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

function loadTls(settings: Settings): TlsPair | null {
  if (settings.tlsCertFile === '') return null;
  const names = { cert: 'SOLESEAT_TLS_CERT', key: 'SOLESEAT_TLS_KEY' } as const;
  const pair = {
    cert: readFile(names.cert, settings.tlsCertFile),
    key: readFile(names.key, settings.tlsKeyFile),
  };
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
