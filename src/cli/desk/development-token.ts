import { existsSync } from 'node:fs';

const DIRECTORY = '.soleseat';

/** An admin token signed with the development key, where `soleseat dev` has left one in this folder; else null. */
export async function developmentToken(): Promise<string | null> {
  if (!existsSync(`${DIRECTORY}/dev-secret`)) return null;
  const { loadConfiguration } = await import('../configuration.js');
  const { devPresets } = await import('../dev-presets.js');
  const { mintAdmin } = await import('../token.js');
  const presets = { ...devPresets(DIRECTORY), REDIS_URL: 'redis://127.0.0.1:6379' };
  const configuration = loadConfiguration({ environment: {}, presets });
  return mintAdmin(configuration, {
    subject: 'developer',
    org: '*',
    role: 'owner',
    expiresInSeconds: 3600,
  });
}
