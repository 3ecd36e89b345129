import { type PeerAddress, peerAddress, trustedAmong } from '../base/peer-address.js';
import type { Settings } from '../base/settings.js';

/** By what both doors tell who asks, and from where. */
export interface Askers {
  readonly peerAddress: PeerAddress | null;
  readonly trustsProxy: ((address: string) => boolean) | null;
  readonly consoleOrigins: readonly string[];
}

export function askersOf(
  settings: Pick<Settings, 'trustedProxies' | 'forwardedHeader' | 'proxyProtocol' | 'consoleOrigins'>,
): Askers {
  const { trustedProxies, proxyProtocol, consoleOrigins } = settings;
  const trustsProxy = proxyProtocol === 'on' ? trustedAmong(trustedProxies) : null;
  return { peerAddress: peerAddress(settings), trustsProxy, consoleOrigins };
}
