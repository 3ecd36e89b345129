import { readFileSync } from 'node:fs';
import type { Agent } from 'node:http';
import { uptime } from 'node:os';
import { WebSocket } from 'ws';
import { socketAddress } from './address.js';
import type { Clock } from './clock.js';
import type { FoundSocket, WebSocketClass } from './connection.js';
import { proxyAgent, proxyFor } from './http-agent.js';
import type { ConnectOptions } from './options.js';
import { SessionClient } from './session-client.js';
import { faultCause } from './socket-fault.js';

export * from './index.js';

/**
 * As in the browser, with the WebSocket of `ws` (Node 20 has none of its own), through the proxy that the options or the
 * environment name, and on Linux with a clock that goes on in sleep.
 */
export function connect(options: ConnectOptions): SessionClient {
  const url = socketAddress(options.url);
  const clock = sleeplessClock();
  return new SessionClient({ ...(clock !== null && { clock }), ...options, url }, socketFor(url, options));
}

function socketFor(url: string, options: ConnectOptions): WebSocketClass | Promise<FoundSocket> {
  if (options.WebSocket !== undefined) return options.WebSocket;
  const proxy = proxyFor(new URL(url), options, process.env);
  if (proxy !== null)
    return proxyAgent(proxy).then(
      (agent) => ({ socketClass: socketWith(agent) }),
      (fault: Error) => {
        if (options.proxy !== undefined) throw fault;
        // It may well be that the broker is reached without it.
        return { socketClass: socketWith(undefined), warning: fault.message };
      },
    );
  return socketWith(options.agent as Agent | undefined);
}

function socketWith(agent: Agent | undefined): WebSocketClass {
  return class extends WebSocket {
    static readonly causeOf = faultCause;

    constructor(url: string, protocols: string[]) {
      super(url, protocols, agent === undefined ? {} : { agent });
    }
  };
}

/**
 * CLOCK_BOOTTIME, in steps of 10 ms: `os.uptime()` reads /proc/uptime. Without that file it knows whole seconds only, which
 * is too coarse. Null where `performance.now()` and the wall clock do better.
 */
export function sleeplessClock(): Clock | null {
  if (process.platform !== 'linux') return null;
  try {
    if (!/^\d+\.\d\d /.test(readFileSync('/proc/uptime', 'utf8'))) return null;
  } catch {
    return null;
  }
  return { now: () => uptime() * 1_000 };
}
