import { parseSettings } from '../base/parse-settings.js';

/** What listens on every address answers on loopback. */
const loopbackOf: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/**
 * The health check of the Docker image: ends with 0 when the node of this container answers /livez. Not /readyz, which
 * is 503 while Redis is out of reach: to restart a node for that drops its connections and the leases it would put back.
 */
const parsed = parseSettings(process.env);
// What `serve` cannot read either has no node to be asked.
process.exitCode = parsed.ok && (await isAlive(parsed.settings.adminHost, parsed.settings.adminPort)) ? 0 : 1;

/** The admin port is plain HTTP always, whatever certificate the public port has. */
async function isAlive(adminHost: string, port: number): Promise<boolean> {
  const host = loopbackOf[adminHost] ?? adminHost;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}/livez`;
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}
