import { Problem } from './problem.js';

/** Files of a node at a time: each takes its own size in memory, and as much as its thread may have. */
const AT_ONCE = 4;

/**
 * Which orgs have an import at this node, from before its file is read to its end: one for each org, so that none can use up
 * the memory of the others, and few in all.
 */
export class ImportPlaces {
  /** How many hold the place of an org: the request, and the import, which may go on without it. */
  readonly #holders = new Map<string, number>();

  /** Takes the place of an org, and gives what leaves it. Throws 429 where the org has an import, 503 where too many have. */
  take(org: string): () => void {
    if (this.#holders.has(org)) throw importRunning();
    if (this.#holders.size >= AT_ONCE) {
      const headers = { 'Retry-After': '5' };
      throw new Problem(503, 'too_many_imports', 'too many imports run at this node', {}, headers);
    }
    return this.hold(org);
  }

  /** Keeps a place that has been taken, until what is given back is called. */
  hold(org: string): () => void {
    this.#holders.set(org, (this.#holders.get(org) ?? 0) + 1);
    return () => {
      const left = (this.#holders.get(org) ?? 1) - 1;
      if (left === 0) this.#holders.delete(org);
      else this.#holders.set(org, left);
    };
  }
}

export function importRunning(): Problem {
  const headers = { 'Retry-After': '5' };
  return new Problem(429, 'import_running', 'another import of this org is under way', {}, headers);
}
