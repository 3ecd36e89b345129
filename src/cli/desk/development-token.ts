/** An admin token signed with the development key, where `soleseat dev` has left one in this folder; else null. */
export async function developmentToken(): Promise<string | null> {
  const { DEV_FOLDER, existingDevPresets } = await import('../dev-presets.js');
  const presets = existingDevPresets(DEV_FOLDER);
  if (presets === null) return null;
  const { loadConfiguration } = await import('../configuration.js');
  const { mintAdmin } = await import('../token.js');
  const configuration = loadConfiguration({
    environment: {},
    presets: { ...presets, REDIS_URL: 'redis://127.0.0.1:6379' },
  });
  return mintAdmin(configuration, {
    subject: 'developer',
    org: '*',
    role: 'owner',
    expiresInSeconds: 3600,
  });
}
