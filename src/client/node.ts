import { WebSocket } from 'ws';
import { type ConnectOptions, connect as connectWith, type SessionClient } from './index.js';

export * from './index.js';

/** As in the browser, with the WebSocket of `ws`: Node 20 has none of its own. */
export function connect(options: ConnectOptions): SessionClient {
  return connectWith({ WebSocket, ...options });
}
