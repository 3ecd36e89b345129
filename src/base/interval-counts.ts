import type { Clock } from './clock.js';

/** Counts by key within an interval, after which all begin anew. Keys beyond those that are remembered are not counted. */
export class IntervalCounts {
  readonly #counts = new Map<string, number>();
  #sinceMs: number;

  constructor(
    private readonly clock: Clock,
    private readonly intervalMs: number,
    private readonly remembered: number,
  ) {
    this.#sinceMs = clock();
  }

  /** Counts one more, and gives how many there are; 0 for a key that is not counted. */
  add(key: string): number {
    const before = this.of(key);
    if (before === 0 && this.#counts.size >= this.remembered) return 0;
    this.#counts.set(key, before + 1);
    return before + 1;
  }

  of(key: string): number {
    this.#turn();
    return this.#counts.get(key) ?? 0;
  }

  /** Whole seconds until the counts begin anew, 1 at least. */
  get leftSeconds(): number {
    return Math.max(1, Math.ceil((this.#sinceMs + this.intervalMs - this.clock()) / 1000));
  }

  #turn(): void {
    const nowMs = this.clock();
    if (nowMs - this.#sinceMs < this.intervalMs) return;
    this.#sinceMs = nowMs;
    this.#counts.clear();
  }
}
