import type { WebSocketClass } from './connection.js';
import type { ConnectOptions } from './options.js';
import { SessionClient } from './session-client.js';

export type { Backoff } from './backoff.js';
export type { Clock } from './clock.js';
export type { WebSocketClass, WebSocketLike } from './connection.js';
export type { ClientErrorCode, ClientEvents, ClientState, EventName, Listener } from './events.js';
export type { ConnectOptions, TokenNeed } from './options.js';
export { SessionClient } from './session-client.js';

/**
 * Opens a session for this machine's user, and keeps it. In Node and Electron, `soleseat/client` brings its own
 * WebSocket. Throws TypeError where `url` is no WebSocket address or the platform has no WebSocket.
 */
export function connect(options: ConnectOptions): SessionClient {
  if (!isWebSocketUrl(options.url))
    throw new TypeError('options.url must be a ws:// or wss:// URL without a fragment');
  const platform = globalThis as { readonly WebSocket?: WebSocketClass };
  const socketClass = options.WebSocket ?? platform.WebSocket;
  if (socketClass === undefined)
    throw new TypeError('this platform has no WebSocket: give options.WebSocket');
  return new SessionClient(options, socketClass);
}

function isWebSocketUrl(text: string): boolean {
  try {
    const { protocol, hash } = new URL(text);
    return (protocol === 'ws:' || protocol === 'wss:') && hash === '';
  } catch {
    return false;
  }
}
