import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyAddr from 'proxy-addr';

export interface ProxySettings {
  /** Addresses, networks like `10.0.0.0/8`, or `loopback`, `linklocal`, `uniquelocal`. */
  readonly trustedProxies: readonly string[];
  /** The one header that they write. */
  readonly forwardedHeader: string;
}

interface Request {
  readonly headers: IncomingHttpHeaders;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** Gives the address of a request's sender. */
export type PeerAddress = (request: Request) => string;

/** Whether an address is that of a trusted proxy. */
export function trustedAmong(proxies: readonly string[]): (address: string) => boolean {
  const trust = proxyAddr.compile([...proxies]);
  return (address) => trust(address, 0);
}

/** Throws where one of them is no address and no network. */
export function checkTrustedProxies(proxies: readonly string[]): void {
  proxyAddr.compile([...proxies]);
}

/**
 * Where a request comes from: the peer of its connection, or, where that is a trusted proxy, who the proxies say it is: the
 * last one on their way that is no trusted proxy itself. A header of anybody else counts for nothing. Null without trusted
 * proxies: the peer it is, always.
 */
export function peerAddress({ trustedProxies, forwardedHeader }: ProxySettings): PeerAddress | null {
  if (trustedProxies.length === 0) return null;
  const trust = proxyAddr.compile([...trustedProxies]);
  return ({ headers, socket }) => {
    const sent = String(headers[forwardedHeader] ?? '');
    const named = forwardedHeader === 'forwarded' ? namedByRfc7239(sent) : sent.split(',');
    // From the farthest to the nearest. What is no address ends the way: nobody knows who wrote it.
    const way = named.map(plain);
    const known = way.slice(way.findLastIndex((one) => isIP(one) === 0) + 1);
    const request = { socket, headers: { 'x-forwarded-for': known.join(', ') } };
    return proxyAddr(request as unknown as IncomingMessage, trust);
  };
}

/** The `for` of each element (RFC 7239 section 4). */
function namedByRfc7239(header: string): string[] {
  return apart(header, ',').map((element) => {
    const named = apart(element, ';').find((pair) => /^\s*for=/i.test(pair));
    return named?.slice(named.indexOf('=') + 1) ?? '';
  });
}

/** Taken apart where the separator stands outside quotes. A quote that is never closed leaves nothing to believe. */
function apart(text: string, separator: ',' | ';'): string[] {
  const part =
    separator === ',' ? /((?:"(?:\\.|[^"\\])*"|[^,"])*)(,|$)/y : /((?:"(?:\\.|[^"\\])*"|[^;"])*)(;|$)/y;
  const parts: string[] = [];
  for (;;) {
    const match = part.exec(text);
    if (match === null) return [];
    parts.push(match[1] ?? '');
    if (match[2] === '') return parts;
  }
}

/** Without quotes, brackets and a port, which some proxies add. */
function plain(text: string): string {
  const bare = text.trim().replaceAll('"', '');
  return /^\[([0-9a-f:.]+)\](?::\d+)?$/i.exec(bare)?.[1] ?? /^([\d.]+):\d+$/.exec(bare)?.[1] ?? bare;
}
