import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** A webhook leads to an address that is not of the public Internet. */
export class AddressRefused extends Error {
  constructor(readonly address: string) {
    super(`${address} is no public address`);
  }
}

/**
 * Whether an address is one of the public Internet. Loopback, private and link-local networks are not, nor is any address
 * that stands for another one: IPv4 within IPv6 is judged as IPv4, and addresses of translators are refused.
 */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  if (address.range() !== 'unicast') return false;
  // Of IPv6 only this is given to anybody (RFC 4291, section 2.4; IANA's registry).
  return address.kind() === 'ipv4' || address.match(ipaddr.parseCIDR('2000::/3') as [ipaddr.IPv6, number]);
}

/** Throws AddressRefused where the host of a URL is an address itself, and no public one. */
export function refusePrivateHost({ hostname }: URL): void {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (ipaddr.isValid(host) && !isPublicAddress(host)) throw new AddressRefused(host);
}

/** Looks a name up as the system does, and fails where any of its addresses is not public. */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  dnsLookup(hostname, { ...options, all: true }, (error, found) => {
    if (error) return callback(error, '', 0);
    const refused = found.find(({ address }) => !isPublicAddress(address));
    const [first] = found;
    if (refused !== undefined || first === undefined)
      return callback(new AddressRefused(refused?.address ?? hostname), '', 0);
    if (options.all) return callback(null, found as LookupAddress[]);
    return callback(null, first.address, first.family);
  });
};
