import type { History } from './history.js';

/**
 * What stands for the licensed good: a service that is shown an epoch and accepts none below the highest it has
 * seen for that user. It is outside of Redis, so no fault makes it forget.
 */
export class Fence {
  readonly #highest = new Map<string, number>();

  constructor(private readonly history: History) {}

  /** The highest epoch that it has accepted of that user; 0 where there was none. */
  highestOf(user: string): number {
    return this.#highest.get(user) ?? 0;
  }

  present(user: string, program: string, epoch: number): boolean {
    const highest = this.highestOf(user);
    const atMs = performance.now();
    if (epoch < highest) {
      this.history.rejections.push({ user, program, epoch, highest, atMs });
      return false;
    }
    if (epoch > highest) {
      this.#highest.set(user, epoch);
      this.history.acceptances.push({ user, program, epoch, atMs });
    }
    return true;
  }
}
