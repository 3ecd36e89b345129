import { existsSync } from 'node:fs';
import { loadConfiguration } from '../configuration.js';
import { devPresets } from '../dev.js';
import { mintAdmin } from '../token.js';

const DIRECTORY = '.soleseat';

/** An admin token signed with the development key, where `soleseat dev` has left one in this folder; else null. */
export function developmentToken(): string | null {
  if (!existsSync(`${DIRECTORY}/dev-secret`)) return null;
  const presets = { ...devPresets(DIRECTORY), REDIS_URL: 'redis://127.0.0.1:6379' };
  const configuration = loadConfiguration({ environment: {}, presets });
  return mintAdmin(configuration, {
    subject: 'developer',
    org: '*',
    role: 'admin',
    expiresInSeconds: 3600,
  });
}
