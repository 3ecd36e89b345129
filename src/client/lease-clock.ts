import { MAX_TIMER_MS } from './backoff.js';

/**
 * The client's view of its lease: a deadline on the monotonic clock, moved by every confirmed renewal.
 *
 * promise 6: the node's own deadline is earlier than the one in Redis, and travels as a duration, so a
 * wrong wall clock here changes nothing. The way from the node to here is not subtracted (it cannot be
 * known), and some systems stop this clock while they sleep: what must be exact is fenced by the epoch.
 */
export class LeaseClock {
  private end: number | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly onExpired: (deadline: number) => void) {}

  /** When the lease ends, in `performance.now()` milliseconds, or null where there is none. */
  get deadline(): number | null {
    return this.end;
  }

  holds(): boolean {
    return this.end !== null && performance.now() < this.end;
  }

  /** Counts `ttlMs` from now, and gives the new deadline. */
  renew(ttlMs: number): number {
    this.end = performance.now() + ttlMs;
    this.arm(this.end);
    return this.end;
  }

  /** The lease is gone, known and told otherwise: no expiry follows. */
  clear(): void {
    clearTimeout(this.timer);
    this.end = null;
  }

  private arm(deadline: number): void {
    clearTimeout(this.timer);
    const leftMs = Math.min(Math.ceil(deadline - performance.now()), MAX_TIMER_MS);
    this.timer = setTimeout(() => {
      // A timer may fire a little before the monotonic clock gets there.
      if (performance.now() < deadline) this.arm(deadline);
      else this.onExpired(deadline);
    }, leftMs);
  }
}
