import { readFileSync } from 'node:fs';
import { KeyError, type KeyRing, keyRingFromJwks, keyRingFromSecret } from '../auth/keys.js';
import { parseSettings } from '../base/parse-settings.js';
import { type SettingFault, type Settings, type SettingTexts, settingsTable } from '../base/settings.js';
import { checkSettings } from '../base/settings-check.js';
import { CommandFailure, exitCodes } from './failure.js';

export interface Configuration {
  readonly settings: Settings;
  readonly keys: KeyRing;
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

/** Reads and checks all settings, and loads the keys. Throws CommandFailure (78) naming every bad setting. */
export function loadConfiguration(sources: ConfigurationSources): Configuration {
  const texts = gather(sources);
  const parsed = parseSettings(texts);
  if (!parsed.ok) throw badSettings(parsed.faults);
  const faults = checkSettings(parsed.settings);
  if (faults.length > 0) throw badSettings(faults);
  return { settings: parsed.settings, keys: loadKeys(parsed.settings) };
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
    text = readFileSync(file, 'utf8');
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

function loadKeys(settings: Settings): KeyRing {
  const setting = settings.jwtKeysFile === '' ? 'SOLESEAT_JWT_SECRET' : 'SOLESEAT_JWT_KEYS';
  try {
    if (settings.jwtKeysFile === '') return keyRingFromSecret(settings.jwtSecret);
    return keyRingFromJwks(readFileSync(settings.jwtKeysFile, 'utf8'));
  } catch (error) {
    const problem =
      error instanceof KeyError ? error.message : 'names a file that is missing or cannot be read';
    throw badSettings([{ setting, problem }]);
  }
}

function badSettings(faults: readonly SettingFault[]): CommandFailure {
  return new CommandFailure(
    faults.map(({ setting, problem }) => `${setting} ${problem}`).join('\n'),
    exitCodes.config,
  );
}
