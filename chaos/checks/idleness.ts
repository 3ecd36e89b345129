import type { History } from '../history.js';
import { IDLE_LIMIT_MS, recoveryMs } from '../timing.js';
import { NOTICE_MS } from './excuses.js';
import type { Finding } from './finding.js';

/**
 * Nobody who is at work is ended for idling. Not judged: a program whose reports could not come to its node, as one of the
 * two, or Redis, was hurt in that time.
 */
export function checkIdleness({ evictions, naps, silences, faults }: History): Finding[] {
  return evictions.flatMap(({ user, program, reason, atMs }): Finding[] => {
    if (reason !== 'idle_timeout') return [];
    const fromMs = atMs - IDLE_LIMIT_MS;
    const hasNapped = naps.some(
      (nap) => nap.program === program && nap.fromMs <= fromMs + NOTICE_MS && nap.toMs >= atMs - NOTICE_MS,
    );
    const wasHurt =
      silences.some(
        (one) => one.program === program && one.fromMs <= atMs && one.toMs >= fromMs - NOTICE_MS,
      ) || faults.some(({ startMs, endMs }) => startMs <= atMs && endMs + recoveryMs >= fromMs);
    if (hasNapped || wasHurt) return [];
    return [{ check: 'idle', atMs, user, what: `${program}: ended for idling, though somebody was at work` }];
  });
}
