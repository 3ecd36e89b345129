import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import { StoreDefect, storeError } from './errors.js';

/** A defect that was not met for so long counts as mended: should it come back, it is told again. */
const QUIET_MS = 60_000;
/** More pieces of work with a defect than these are not told apart. */
const REMEMBERED = 1000;

/**
 * Tells of work that is done again and again, and failed. A defect is told once with its cause, and again when the
 * cause has changed. `outages` tells why Redis is out of reach, so that is only at debug here.
 */
export class FaultLog {
  /** Work → its last defect. */
  readonly #met = new Map<string, { readonly reason: string; readonly atMs: number }>();

  constructor(private readonly parts: { readonly log: Log; readonly clock: Clock }) {}

  failed(work: string, error: unknown): void {
    const { log, clock } = this.parts;
    const known = storeError(error);
    const reason = known.message;
    if (!(known instanceof StoreDefect)) {
      log.debug({ work, reason }, 'work on Redis failed');
      return;
    }
    const nowMs = clock();
    const before = this.#met.get(work);
    if (this.#met.size >= REMEMBERED) this.#met.clear();
    this.#met.set(work, { reason, atMs: nowMs });
    if (before?.reason === reason && nowMs - before.atMs < QUIET_MS) return;
    log.error({ work, reason }, 'what Redis holds cannot be used');
  }
}
