import type { Clock } from '../base/clock.js';

const firstWaitMs = 2000;
const longestWaitMs = 15 * 60_000;
const maxRemembered = 1000;

/**
 * How long a client should wait before it shows another token, by the time for which its token's key has been unknown here:
 * a key that comes is found within seconds, and ten thousand clients with a dead one do not storm for ever.
 */
export class UnknownKeys {
  readonly #sinceMs = new Map<string, number>();

  constructor(private readonly clock: Clock) {}

  /** 2 s at first, then a quarter of the time for which the key has been unknown, at most 15 min. */
  waitMs(kid: string): number {
    const nowMs = this.clock();
    const sinceMs = this.#sinceMs.get(kid) ?? nowMs;
    // The one that was asked for longest ago makes room.
    this.#sinceMs.delete(kid);
    const [oldest] = this.#sinceMs.keys();
    if (oldest !== undefined && this.#sinceMs.size >= maxRemembered) this.#sinceMs.delete(oldest);
    this.#sinceMs.set(kid, sinceMs);
    return Math.round(Math.min(longestWaitMs, Math.max(firstWaitMs, (nowMs - sinceMs) / 4)));
  }
}
