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
