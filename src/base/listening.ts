/** What the system says where it has no IPv6 at all. */
const withoutIpv6: ReadonlySet<unknown> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']);

/**
 * Listens at an address; at all of IPv4's where all addresses were asked for and there is no IPv6. Rejects as `listen` does.
 */
export async function listenAt<T>(host: string, listen: (host: string) => Promise<T>): Promise<T> {
  const plain = host.replace(/^\[(.*)\]$/, '$1');
  try {
    return await listen(plain);
  } catch (error) {
    if (plain === '::' && withoutIpv6.has((error as NodeJS.ErrnoException).code)) return listen('0.0.0.0');
    throw error;
  }
}

/** An address with its port, as it stands in a URL. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : `${host}:${port}`;
}
