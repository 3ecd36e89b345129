import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { hostFault } from '../base/host.js';
import { isOriginAmong } from '../base/origin.js';
import { probePaths } from './probes.js';
import { Problem } from './problem.js';

/** What anybody may ask without a token: those who ask by a name of their own network see no more than others. */
const open: ReadonlySet<string | undefined> = new Set(probePaths);

/** Refuses a request of which nobody can tell by what name it came here. */
export function refuseBadHost({ raw }: FastifyRequest): void {
  const fault = hostFault(raw.rawHeaders);
  if (fault !== null) throw new Problem(400, 'bad_host', fault);
}

/**
 * Refuses a request that came here by a name which somebody else made to lead here (DNS rebinding). An address, `localhost` and a
 * name without a dot lead to one's own network; other names are listed by the operator.
 */
export function refuseForeignName(request: FastifyRequest, consoleOrigins: readonly string[]): void {
  if (open.has(request.routeOptions.url)) return;
  const host = request.headers.host ?? '';
  const url = `http://${host}`;
  if (URL.canParse(url) && isOwnName(new URL(url).hostname)) return;
  const isListed = consoleOrigins.some((origin) => URL.canParse(origin) && isHostOf(origin, host));
  if (isListed) return;
  const title = `this server is not known as ${shown(host)}: SOLESEAT_CONSOLE_ORIGINS lists its names`;
  throw new Problem(421, 'unknown_host', title);
}

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses a write that a page of somebody else has a browser do. A browser says itself that a page is of the same origin, which
 * no page can forge; where it says nothing, or a proxy changed the name, the page's origin must be listed. Programs say neither.
 */
export function refuseForeignWrite(
  { method, headers }: FastifyRequest,
  consoleOrigins: readonly string[],
): void {
  if (safeMethods.has(method)) return;
  const { 'sec-fetch-site': site, origin } = headers;
  if (site === 'same-origin' || site === 'none') return;
  if (site === undefined && origin === undefined) return;
  if (origin !== undefined && isOriginAmong(consoleOrigins, origin)) return;
  const saw = `Origin ${shown(origin)}, Sec-Fetch-Site ${shown(site)}`;
  throw new Problem(
    403,
    'foreign_origin',
    `writes from pages of another origin are refused (${saw}): SOLESEAT_CONSOLE_ORIGINS lists where the console is reached`,
  );
}

function isOwnName(hostname: string): boolean {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(bare) !== 0 || !bare.replace(/\.$/, '').includes('.');
}

/** With or without the port: proxies add it, and drop it. */
function isHostOf(origin: string, host: string): boolean {
  const { hostname, host: full } = new URL(origin);
  const asked = host.toLowerCase();
  return asked === full || asked.replace(/:\d+$/, '') === hostname;
}

/** What a stranger sent, for a sentence. */
function shown(text: string | string[] | undefined): string {
  return text === undefined
    ? 'is missing'
    : String(text)
        .replaceAll(/[^\x21-\x7e]/g, '?')
        .slice(0, 100);
}
