import type { Clock } from '../base/clock.js';
import { IntervalCounts } from '../base/interval-counts.js';
import { Problem } from './problem.js';

const MINUTE_MS = 60_000;

/** What asks much of Redis and of the node (promise 16), in the words of a refusal. Each has a budget of its own for each token. */
export const costs = {
  import: 'imports',
  export: 'exports',
  recount: 'recounts',
  delivery: 'test deliveries',
} as const;
export type Cost = keyof typeof costs;

/** The sender of a request. Another token of the same person makes no other one. */
export interface Asker {
  readonly subject: string;
  readonly role: string;
  /** Null: of all orgs. */
  readonly org: string | null;
}

/** More are not remembered in a minute: those beyond have no budget to use up. */
const ASKERS_REMEMBERED = 10_000;

/** How much of this node one token, and one org, may use of what costs much. */
export class Shares {
  readonly #asked: IntervalCounts;
  readonly #running = new Map<string, { readonly repairs: boolean; readonly answer: Promise<unknown> }>();

  constructor(
    clock: Clock,
    /** In a minute, of each kind; 0: no limit. */
    private readonly costlyPerMinute: number,
  ) {
    this.#asked = new IntervalCounts(clock, MINUTE_MS, ASKERS_REMEMBERED);
  }

  /** Counts a request. Throws 429 when the asker has used up their minute. */
  spend(cost: Cost, asker: Asker): void {
    if (this.costlyPerMinute === 0) return;
    const asked = this.#asked.add(JSON.stringify([cost, keyOf(asker)]));
    if (asked <= this.costlyPerMinute) return;
    throw new Problem(
      429,
      'too_many_requests',
      `too many ${costs[cost]} with this token within a minute`,
      {},
      { 'Retry-After': String(this.#asked.leftSeconds) },
    );
  }

  /**
   * Recounts what has this name, one recount of it at a time: a request that comes meanwhile gets the running one's answer. A
   * repair waits for a recount that only looks.
   */
  async recount<T>(name: string, repairs: boolean, work: () => Promise<T>): Promise<T> {
    for (;;) {
      const running = this.#running.get(name);
      if (running === undefined) break;
      if (running.repairs || !repairs) return running.answer as Promise<T>;
      await running.answer.catch(() => {});
    }
    const answer = work().finally(() => this.#running.delete(name));
    this.#running.set(name, { repairs, answer });
    return answer;
  }
}

/** By what an asker is counted. */
export function keyOf({ subject, role, org }: Asker): string {
  return JSON.stringify([subject, role, org]);
}
