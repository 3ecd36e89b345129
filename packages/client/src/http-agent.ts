import type { Agent } from 'node:http';
import type { ConnectOptions } from './options.js';

/** The proxy to dial `url` through; null for none. The names are those that curl and other programs read. */
export function proxyFor(
  url: URL,
  { proxy, agent }: Pick<ConnectOptions, 'proxy' | 'agent'>,
  environment: Readonly<Record<string, string | undefined>>,
): string | null {
  if (agent !== undefined || proxy === false) return null;
  if (proxy !== undefined) return String(proxy);
  const read = (name: string) => environment[name.toLowerCase()] ?? environment[name];
  if (isLoopback(url.hostname) || isExempt(url, read('NO_PROXY') ?? '')) return null;
  const found = read(url.protocol === 'wss:' ? 'HTTPS_PROXY' : 'HTTP_PROXY') ?? read('ALL_PROXY');
  if (found === undefined || found.trim() === '') return null;
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(found) ? found : `http://${found}`;
}

/** Loads the library for proxies, which only those need who have one. Rejects, with the next step, where it is not installed. */
export async function proxyAgent(proxy: string): Promise<Agent> {
  if (!/^https?:/i.test(proxy))
    throw new Error(`the proxy (${hostOf(proxy)}) is no HTTP proxy: give an agent for it (options.agent)`);
  // Not a literal: a bundler must not look for a package that is optional.
  const name = 'https-proxy-agent';
  const { HttpsProxyAgent } = (await import(name).catch(() => {
    throw new Error(`there is a proxy (${hostOf(proxy)}): install the package ${name} to dial through it`);
  })) as { readonly HttpsProxyAgent: new (proxy: string) => Agent };
  return new HttpsProxyAgent(proxy);
}

function hostOf(proxy: string): string {
  try {
    // Its user and password are nobody's business.
    return new URL(proxy).host;
  } catch {
    return 'its address cannot be read';
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\./.test(host);
}

/** `NO_PROXY`: names and what ends with them, `*` for all, each with a port or without. */
function isExempt({ hostname, port, protocol }: URL, list: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  const ownPort = port || (protocol === 'wss:' ? '443' : '80');
  return list
    .split(/[\s,]+/)
    .filter((one) => one !== '')
    .some((entry) => {
      // More than one colon is an IPv6 address, which has no port without brackets.
      const form = /^[^:]*:[^:]*:/.test(entry) && !entry.startsWith('[') ? /^(.*)$/ : /^(.*?)(?::(\d+))?$/;
      const [, given = '', wantedPort] = form.exec(entry.toLowerCase()) ?? [];
      const name = given.replace(/^\[|\]$/g, '');
      if (wantedPort !== undefined && wantedPort !== ownPort) return false;
      const suffix = name.replace(/^\*?\./, '');
      return name === '*' || host === suffix || host.endsWith(`.${suffix}`);
    });
}
