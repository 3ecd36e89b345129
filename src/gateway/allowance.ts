import type { Clock } from '../base/clock.js';

/** Promise 11: so many frames of a connection in an interval, and no more. */
export class Allowance {
  #taken = 0;
  #sinceMs: number;

  constructor(
    private readonly clock: Clock,
    private readonly frames: number,
    private readonly intervalMs: number,
  ) {
    this.#sinceMs = clock();
  }

  /** Null when one more frame may come; else the ms after which one may come again. */
  take(): number | null {
    const nowMs = this.clock();
    if (nowMs - this.#sinceMs >= this.intervalMs) {
      this.#sinceMs = nowMs;
      this.#taken = 0;
    }
    this.#taken++;
    return this.#taken <= this.frames ? null : Math.ceil(this.#sinceMs + this.intervalMs - nowMs);
  }
}
