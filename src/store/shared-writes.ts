import { Redis } from 'ioredis';
import type { RedisConnection } from './redis.js';

/** A reply that takes longer does not hold up the scripts behind it. */
const HOLD_MS = 1;

/**
 * A write to the socket costs more than all else in a claim. So the scripts of one turn of the event loop share one,
 * and while scripts are unanswered, those that come gather until the next reply (Nagle's idea, RFC 896, but
 * for 1 ms at most). A lone script never waits.
 */
export class SharedWrites {
  #unanswered = 0;
  #corked: Redis['stream'] | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** In a cluster each script goes to the server of its slot: nothing is shared there. */
  constructor(private readonly redis: RedisConnection) {}

  /** To be called right before a script is sent. */
  sending(): void {
    if (this.#unanswered++ === 0) this.#gather((flush) => setImmediate(flush));
    else
      this.#gather((flush) => {
        this.#timer = setTimeout(flush, HOLD_MS);
      });
  }

  /** To be called when a script was answered, or has failed. */
  answered(): void {
    this.#unanswered--;
    this.#flush();
  }

  #gather(later: (flush: () => void) => void): void {
    if (this.#corked !== null || !(this.redis instanceof Redis)) return;
    const { stream } = this.redis;
    // None before the first connection; another one after each reconnect.
    if (!stream) return;
    this.#corked = stream;
    stream.cork();
    later(() => this.#flush());
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const stream = this.#corked;
    this.#corked = null;
    stream?.uncork();
  }
}
