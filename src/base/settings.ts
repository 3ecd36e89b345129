import { doorsSettings } from './settings/doors.js';
import { redisSettings } from './settings/redis.js';
import { seatsSettings } from './settings/seats.js';
import type { Kind } from './settings/spec.js';
import { tokensSettings } from './settings/tokens.js';
import { watchingSettings } from './settings/watching.js';

export type { SettingSpec } from './settings/spec.js';

/**
 * The one table of settings, in parts by area. The parser, `config print`, `config check` and docs/settings.md derive from it.
 */
export const settingsTable = {
  ...redisSettings,
  ...doorsSettings,
  ...tokensSettings,
  ...seatsSettings,
  ...watchingSettings,
} as const;

type Table = typeof settingsTable;
type ValueOf<K extends Kind> = K extends 'port' | 'count' | 'durationMs' | 'bytes'
  ? number
  : K extends 'list' | 'origins'
    ? readonly string[]
    : K extends 'flag'
      ? boolean
      : string;
export type Settings = { readonly [P in keyof Table]: ValueOf<Table[P]['kind']> };

/** Values as texts by the setting's name, as in the environment. */
export type SettingTexts = Readonly<Record<string, string | undefined>>;

export interface SettingFault {
  readonly setting: string;
  /** What is wrong and what would be right. Never the value. */
  readonly problem: string;
}
