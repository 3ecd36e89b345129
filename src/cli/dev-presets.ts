import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SettingTexts } from '../base/settings.js';

/** What `dev` presets, with a development key that is made once and kept. */
export function devPresets(directory: string): SettingTexts {
  const keyFile = join(directory, 'dev-secret');
  mkdirSync(directory, { recursive: true });
  if (!existsSync(keyFile)) writeFileSync(keyFile, randomBytes(32).toString('base64url'), { mode: 0o600 });
  return {
    SOLESEAT_HOST: '127.0.0.1',
    SOLESEAT_LICENSE_MODE: 'open',
    SOLESEAT_DRAIN_MS: '1000',
    SOLESEAT_WEBHOOKS_TO_PRIVATE: 'true',
    SOLESEAT_LOG_LEVEL: 'warn',
    SOLESEAT_JWT_SECRET: readFileSync(keyFile, 'utf8').trim(),
  };
}
