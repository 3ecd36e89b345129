import { CONNECT_PATH } from './protocol/messages.js';

const socketSchemes: Readonly<Record<string, string>> = { 'http:': 'ws:', 'https:': 'wss:' };

/**
 * The address to dial. `https` is taken as `wss`, and an address without a path gets that of the broker. Throws TypeError
 * for what can never be one: no URL, another scheme, a fragment, or a token in the query, where proxies would log it.
 */
export function socketAddress(text: string): string {
  const url = parsed(text);
  if (url === null) throw new TypeError(`options.url is not a URL: ${text}`);
  url.protocol = socketSchemes[url.protocol] ?? url.protocol;
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:')
    throw new TypeError(`options.url must begin with wss:// or ws://, not ${url.protocol}//`);
  if (url.hash !== '') throw new TypeError('options.url must be without a fragment (#)');
  const names = [...url.searchParams.keys()];
  // [token-not-in-url]
  if (names.some((name) => /^(access_?)?token$|^jwt$/i.test(name)))
    throw new TypeError('options.url must be without a token: getToken gives it');
  if (url.pathname === '/') url.pathname = CONNECT_PATH;
  return url.href;
}

function parsed(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
