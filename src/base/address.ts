import ipaddr from 'ipaddr.js';

/**
 * What counts as one address: in IPv6 the /64 network, as one computer may use any address of its own;
 * an IPv4 address alike whether the socket is of IPv4 or of both.
 */
export function addressOf(remoteAddress: string): string {
  const address = plainAddress(remoteAddress);
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  while (groups.length + last.length < 8) groups.push('0');
  return `${[...groups, ...last].slice(0, 4).join(':')}::/64`;
}

/** An IPv4 address as it is written, whether the socket is of IPv4 or of both. */
export function plainAddress(remoteAddress: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(remoteAddress)?.[1] ?? remoteAddress;
}

/** From what kind of network a peer comes: enough to tell an office from the Internet, too little to find somebody. */
export function addressClass(address: string): 'loopback' | 'private' | 'public' | 'unknown' {
  if (!ipaddr.isValid(address)) return 'unknown';
  const range = ipaddr.process(address).range();
  if (range === 'loopback') return 'loopback';
  return range === 'unicast' ? 'public' : 'private';
}
