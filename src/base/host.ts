import { isIPv6 } from 'node:net';

/**
 * What may stand before the port (RFC 3986 section 3.2.2): a name or an IPv4 address; or an IPv6 address in brackets, perhaps with
 * a zone (RFC 6874). No path and no user.
 */
const form = /^(?:\[([0-9a-f:.]+)(?:%[\w.~%-]+)?\]|(?:[\w.~!$&'()*+,;=-]|%[0-9a-f]{2})*)(?::(\d{0,5}))?$/i;
const MAX_PORT = 65_535;

/**
 * What is wrong with the Host of a request, in words; null: nothing. With two of them, what stands in front may have gone by the
 * other one: Node keeps the first and says nothing. Whether a host must be named at all is not asked here.
 */
export function hostFault(rawHeaders: readonly string[]): string | null {
  let host: string | null = null;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
    if (host !== null) return 'there is more than one Host';
    host = rawHeaders[i + 1] ?? '';
  }
  return host === null || isHost(host) ? null : 'the Host is malformed';
}

function isHost(text: string): boolean {
  const [whole, address, port = ''] = form.exec(text) ?? [];
  return whole !== undefined && Number(port) <= MAX_PORT && (address === undefined || isIPv6(address));
}
