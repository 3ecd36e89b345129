import type { Backoff } from './backoff.js';
import type { Clock } from './clock.js';
import type { WebSocketClass } from './connection.js';
import type { ConflictPolicy, Machine } from './protocol/messages.js';

/** Why a token is wanted. After `token_expired` and `token_not_yet_accepted` a cached one is of no use. */
export type TokenNeed = 'connect' | 'token_expiring' | 'token_expired' | 'token_not_yet_accepted';

export interface ConnectOptions {
  /** The broker's address, `ws://` or `wss://`, such as `wss://seats.example.com/v1/connect`. */
  readonly url: string;
  /** Called before every attempt and before a token ends. A rejection is retried with backoff. */
  readonly getToken: (need: TokenNeed) => string | Promise<string>;
  /** This computer. Desktop programs get it from `soleseat/client/machine-id`. */
  readonly machine: Machine;
  /**
   * What the first attempt does when another machine holds the seat: `takeover` (default, as starting a
   * program is a person's act) or `deny`. Every later attempt denies, as no person stands behind it.
   */
  readonly onConflict?: Exclude<ConflictPolicy, 'ask'>;
  /** Names the program to the broker. */
  readonly client?: { readonly name: string; readonly version: string };
  /** Where the platform has no WebSocket of its own. */
  readonly WebSocket?: WebSocketClass;
  /**
   * What the lease is reckoned by. In Node on Linux the library brings one that goes on in sleep; where the platform has
   * none, it compares the monotonic clock with the wall clock.
   */
  readonly clock?: Clock;
  readonly backoff?: Backoff;
  /** Gives numbers from 0 up to, not including, 1. */
  readonly random?: () => number;
  /** How long an attempt may take, in milliseconds (10 000). */
  readonly connectTimeoutMs?: number;
}
