import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { startRedis } from '../embedded/redis-process.js';
import { type ConfigurationSources, loadConfiguration } from './configuration.js';
import { openOffice, seedOffice } from './dev-office.js';
import { DEV_FOLDER, devPresets } from './dev-presets.js';
import { ownRedis } from './own-redis.js';
import { startBroker } from './serve.js';
import { mint, mintAdmin } from './token.js';

const HOUR_SECONDS = 3600;

/** `soleseat dev`: a broker with a Redis of its own, a key of its own, and what to type next. */
export async function dev(
  sources: ConfigurationSources,
  options: { readonly office: boolean },
  directory = DEV_FOLDER,
): Promise<void> {
  const binary = await ownRedis();
  mkdirSync(directory, { recursive: true });
  const redis = await startRedis({ binary, dir: join(directory, 'data'), appendOnly: true });
  const configuration = loadConfiguration({
    ...sources,
    presets: { ...devPresets(directory), REDIS_URL: redis.url },
  });
  const life = { expiresInSeconds: 12 * HOUR_SECONDS };
  const mintForConsole = () => mintAdmin(configuration, { subject: 'dev', role: 'owner', org: '*', ...life });
  // No setting can ask for this, so that `serve` never does it.
  const autoSignIn = { mint: mintForConsole, lifeMs: life.expiresInSeconds * 1000 };
  // Its terminal was closed: nobody is there to stop it otherwise.
  const start = { onStopped: () => redis.stop(), stopsAt: 'SIGHUP', autoSignIn } as const;
  const broker = await startBroker(configuration, start).catch(async (error) => {
    await redis.stop();
    throw error;
  });
  const url = `${configuration.tls === null ? 'ws' : 'wss'}://127.0.0.1:${broker.ports.public}`;
  const tokenFor = (user: string) => mint(configuration, { user, org: 'acme', name: user, ...life });
  await seedOffice(broker.store, redis.url, Math.random);
  if (options.office) openOffice({ url: `${url}/v1/connect`, tokenFor }, Math.random);
  const tokens = {
    ada: tokenFor('ada'),
    grace: tokenFor('grace'),
    admin: mintForConsole(),
  };
  console.log(introduction(url, broker.ports.admin, redis.url, tokens));
}

function introduction(
  url: string,
  adminPort: number,
  redisUrl: string,
  tokens: { readonly ada: string; readonly grace: string; readonly admin: string },
): string {
  const main = resolve(import.meta.dirname, 'main.js');
  // Installed as a package: npx finds the command, wherever the package lies.
  const soleseat = /[\\/]node_modules[\\/]/.test(main)
    ? 'npx soleseat'
    : `node ${main.replace(`${process.cwd()}/`, '')}`;
  const command = `${soleseat} connect --url ${url}`;
  return `
Soleseat is running.

  console   http://127.0.0.1:${adminPort}/console/  (open it: it signs you in by itself, here only)
  clients   ${url}/v1/connect
  admin     http://127.0.0.1:${adminPort}  (/livez /readyz /metrics, API under /v1/admin, described by /v1/openapi.json)
  Redis     ${redisUrl}  (its data is under .soleseat/)

The org acme has licenses, a past, and an office at work (--no-office: nobody is at work).

Two tokens, for the users ada and grace of the org acme, good for twelve hours:

  ADA=${tokens.ada}
  GRACE=${tokens.grace}

and one for the admin API, in the header "Authorization: Bearer …":

  ADMIN=${tokens.admin}

See a seat taken over. In a second terminal:

  ${command} --user ada --machine workstation

and in a third, while the second still runs:

  ${command} --user ada --machine laptop

The workstation is told who took the seat. Ctrl+C here stops everything.`;
}
