import { socketAddress } from './address.js';
import type { WebSocketClass } from './connection.js';
import type { ConnectOptions } from './options.js';
import { SessionClient } from './session-client.js';

export type { Backoff } from './backoff.js';
export type { Cause, CauseKind } from './cause.js';
export type { Clock } from './clock.js';
export type { FoundSocket, WebSocketClass, WebSocketLike } from './connection.js';
export type { ClientErrorCode, ClientEvents, ClientState, EventName, Listener } from './events.js';
export type { ConnectOptions, TokenNeed } from './options.js';
export { SessionClient } from './session-client.js';
export type { BrokerProof } from './vetting.js';

/**
 * Opens a session for this machine's user, and keeps it. In Node and Electron, the package brings its own
 * WebSocket. Throws TypeError where `url` can be no broker's address or the platform has no WebSocket.
 */
export function connect(options: ConnectOptions): SessionClient {
  const url = socketAddress(options.url);
  const platform = globalThis as { readonly WebSocket?: WebSocketClass };
  const socketClass = options.WebSocket ?? platform.WebSocket;
  if (socketClass === undefined)
    throw new TypeError('this platform has no WebSocket: give options.WebSocket');
  return new SessionClient({ ...options, url }, socketClass);
}
