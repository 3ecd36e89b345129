import { isLoopback } from './redis-url.js';

/** Whether keys may come from here: what is read in the clear could be anybody's, but for this machine's own. */
export function isSafeSource(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}
