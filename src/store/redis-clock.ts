import type { Clock } from '../base/clock.js';

/** What Redis's clock says now, learnt from its replies. Late by at most the reply's way back. */
export class RedisClock {
  #offsetMs: number | null = null;

  constructor(private readonly clock: Clock) {}

  /** Takes a reply's Redis time (ms) and gives it as a number. */
  learn(redisMs: unknown): number {
    const ms = Number(redisMs);
    if (Number.isFinite(ms)) this.#offsetMs = ms - this.clock();
    return ms;
  }

  nowMs(): number | null {
    return this.#offsetMs === null ? null : this.clock() + this.#offsetMs;
  }
}
