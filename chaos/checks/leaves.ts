import type { History, Leave } from '../history.js';
import { UNDER_WAY_MS } from './evictions.js';
import { Excuses } from './excuses.js';
import type { Finding } from './finding.js';

/**
 * One seat a user stays true while it is taken along: until the leave has ended nobody of the user gets in but its own
 * machine, whose hello ends it, whatever died or was lost meanwhile. Only a Redis that lost what its replicas had is excused.
 */
export function checkLeaves(history: History): Finding[] {
  const excuses = new Excuses(history);
  return history.leaves.flatMap((leave): Finding[] => {
    const { user, program, machine, askedMs, heardMs, untilMs } = leave;
    const first = history.grants
      .filter((one) => one.user === user && one.ackMs > heardMs && one.ackMs < untilMs)
      .sort((one, other) => one.ackMs - other.ackMs)[0];
    if (first === undefined || first.machine === machine || hasReturned(leave, first.ackMs, history))
      return [];
    if (excuses.mayHaveForgotten({ fromMs: askedMs, toMs: first.ackMs })) return [];
    const what =
      `${first.program} got in with epoch ${first.epoch}, ` +
      `${(untilMs - first.ackMs).toFixed(0)} ms before the leave of ${program} had ended`;
    return [{ check: 'leave', atMs: first.ackMs, user, what }];
  });
}

/** Whether the machine may have come back: by a later claim, or by one that was under way and never answered. */
function hasReturned({ user, machine, askedMs }: Leave, byMs: number, { asks }: History): boolean {
  return asks.some((one) => {
    if (one.user !== user || one.machine !== machine || one.askedMs > byMs) return false;
    return one.askedMs >= (one.answer === 'none' ? askedMs - UNDER_WAY_MS : askedMs);
  });
}
