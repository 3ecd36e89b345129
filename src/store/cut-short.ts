import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';

const DAY_MS = 86_400_000;
/** Orgs beyond are told again. */
const REMEMBERED = 1000;

/** Tells the operator, once a day for each org, that events of sessions are not kept for their time (promise 14). */
export class CutShort {
  readonly #toldAt = new Map<string, number>();

  constructor(private readonly parts: { readonly log?: Log; readonly clock: Clock }) {}

  found(org: string, keptMs: number): void {
    const { log, clock } = this.parts;
    const nowMs = clock();
    const before = this.#toldAt.get(org);
    if (before !== undefined && nowMs - before < DAY_MS) return;
    if (this.#toldAt.size >= REMEMBERED) this.#toldAt.clear();
    this.#toldAt.set(org, nowMs);
    const keptHours = Number((keptMs / 3_600_000).toFixed(1));
    log?.warn(
      { org, keptHours },
      'events of sessions end before SOLESEAT_SESSIONS_KEPT: raise SOLESEAT_EVENTS_KEPT',
    );
  }
}
