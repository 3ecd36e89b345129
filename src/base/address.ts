/**
 * What counts as one address: in IPv6 the /64 network, as one computer may use any address of its own;
 * an IPv4 address alike whether the socket is of IPv4 or of both.
 */
export function addressOf(remoteAddress: string): string {
  if (!remoteAddress.includes(':')) return remoteAddress;
  const ipv4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(remoteAddress)?.[1];
  if (ipv4 !== undefined) return ipv4;
  const [head = '', tail] = remoteAddress.split('::');
  const groups = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  while (groups.length + last.length < 8) groups.push('0');
  return `${[...groups, ...last].slice(0, 4).join(':')}::/64`;
}
