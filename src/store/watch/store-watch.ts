import type { Log } from '../../base/log.js';

interface Watch {
  look(): Promise<void>;
}

/** Looks at the store at an interval and never twice at once, so that no scrape ever waits for Redis. */
export class StoreWatch {
  #timer: NodeJS.Timeout | null = null;
  #isLooking = false;

  constructor(
    private readonly watches: readonly Watch[],
    private readonly everyMs: number,
    private readonly log: Log,
  ) {}

  start(): void {
    void this.#look();
    this.#timer = setInterval(() => void this.#look(), this.everyMs);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    for (const watch of this.watches) {
      await watch.look().catch((error) => this.log.debug({ reason: String(error) }, 'store not read'));
    }
    this.#isLooking = false;
  }
}
