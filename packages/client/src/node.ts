import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { WebSocket } from 'ws';
import type { Clock } from './clock.js';
import { type ConnectOptions, connect as connectWith, type SessionClient } from './index.js';

export * from './index.js';

/**
 * As in the browser, with the WebSocket of `ws` (Node 20 has none of its own), and on Linux with a clock that goes on in
 * sleep.
 */
export function connect(options: ConnectOptions): SessionClient {
  const clock = sleeplessClock();
  return connectWith({ WebSocket, ...(clock !== null && { clock }), ...options });
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
