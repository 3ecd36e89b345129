import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SettingTexts } from '../base/settings.js';

/** Where `soleseat dev` keeps its key and its data, in the folder in which it runs. */
export const DEV_FOLDER = '.soleseat';

/** What `dev` presets, with a development key that is made once and kept. */
export function devPresets(directory: string): SettingTexts {
  const keyFile = devKeyFile(directory);
  mkdirSync(directory, { recursive: true });
  if (!existsSync(keyFile)) writeFileSync(keyFile, randomBytes(32).toString('base64url'), { mode: 0o600 });
  return presetsWith(keyFile);
}

/** As devPresets, where `dev` has left a key in this folder, else null: nothing is written. */
export function existingDevPresets(directory: string): SettingTexts | null {
  const keyFile = devKeyFile(directory);
  return existsSync(keyFile) ? presetsWith(keyFile) : null;
}

export function devKeyFile(directory: string): string {
  return join(directory, 'dev-secret');
}

function presetsWith(keyFile: string): SettingTexts {
  return {
    SOLESEAT_HOST: '127.0.0.1',
    SOLESEAT_LICENSE_MODE: 'open',
    SOLESEAT_DRAIN_MS: '1000',
    SOLESEAT_WEBHOOKS_TO_PRIVATE: 'true',
    SOLESEAT_LOG_LEVEL: 'warn',
    SOLESEAT_JWT_SECRET: readFileSync(keyFile, 'utf8').trim(),
  };
}
