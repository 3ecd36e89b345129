import type { Backoff } from './backoff.js';
import type { Clock } from './clock.js';
import type { WebSocketClass } from './connection.js';
import type { Listener } from './events.js';
import type { ConflictPolicy, Machine } from './protocol/messages.js';
import type { BrokerProof } from './vetting.js';

/** Why a token is wanted. After `token_expired` and `token_not_yet_accepted` a cached one is of no use. */
export type TokenNeed = 'connect' | 'token_expiring' | 'token_expired' | 'token_not_yet_accepted';

export interface ConnectOptions {
  /** The broker's address, such as `wss://seats.example.com`; without a path it is `/v1/connect`. */
  readonly url: string;
  /** Called before every attempt and before a token ends. A rejection, or no answer in time, is retried with backoff. */
  readonly getToken: (need: TokenNeed) => string | Promise<string>;
  /** How long `getToken` may take, in milliseconds (15 000). */
  readonly tokenTimeoutMs?: number;
  /** This computer. Desktop programs get it from `@soleseat/client/machine-id`. */
  readonly machine: Machine;
  /**
   * What the first attempt does when another machine holds the seat: `takeover` (default, as starting a
   * program is a person's act), `deny`, or `ask`: the holder is asked first. Every later attempt denies, as no person stands
   * behind it.
   */
  readonly onConflict?: ConflictPolicy;
  /**
   * The ticket of a seat that this machine took along, where it did; asked before every `hello`. The event `leaveEnded` says when to
   * delete it.
   */
  readonly ticket?: () => string | null;
  /** Tells the vendor's broker from another one: `brokerProof(keys)` of `@soleseat/client/ticket`. */
  readonly proof?: BrokerProof;
  /**
   * Called when another machine asks for the seat: let the person decide, and call `answer()`. Without it, or without an answer in
   * time, the other machine gets the seat.
   */
  readonly onTakeoverRequested?: Listener<'takeoverRequested'>;
  /**
   * How long nobody has been at work, in milliseconds; asked before every `hello`. The idle limit of the org holds only for a
   * program that gives this; it also calls `activity()`.
   */
  readonly idleMs?: () => number;
  /** Names the program to the broker. */
  readonly client?: { readonly name: string; readonly version: string };
  /**
   * Node only: the proxy to dial through, such as `http://proxy.example.com:3128`, or `false` for none. Without it, the
   * one of `HTTPS_PROXY` or `HTTP_PROXY`, but for the hosts of `NO_PROXY`. Needs the package `https-proxy-agent`.
   */
  readonly proxy?: string | URL | false;
  /** Node only: an `http.Agent` or `https.Agent` of your own, as for a private CA. No proxy is looked for then. */
  readonly agent?: unknown;
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
