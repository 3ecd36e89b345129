import type { History } from '../history.js';
import { countedTtlMs, timing } from '../timing.js';
import { Excuses } from './excuses.js';
import type { Finding } from './finding.js';

/** What the node leaves out of each lease (PROTOCOL.md): a belief within it still ends before the lease in Redis. */
const MARGIN_MS = timing.ttlMs - countedTtlMs;

/**
 * Promise 15: no belief outlives the lease that it came from, whatever was stopped or delayed. Judged twice: by what the
 * node wrote, as it passed the relay before it could be held there, and by the end of the lease in Redis, at every look.
 */
export function checkBeliefs(history: History): Finding[] {
  return [...beyondNode(history), ...beyondRedis(history)];
}

function beyondNode({ holdings }: History): Finding[] {
  return holdings
    .filter(({ beyondNodeMs }) => beyondNodeMs > MARGIN_MS)
    .map(({ grant: { user, program, epoch }, beyondNodeMs, toMs }) => ({
      check: 'belief',
      atMs: toMs,
      user,
      what: `${program} (epoch ${epoch}) counted on its lease for ${beyondNodeMs.toFixed(0)} ms longer than its node did`,
    }));
}

function beyondRedis(history: History): Finding[] {
  const excuses = new Excuses(history);
  return history.counts.flatMap(({ atMs, leases, leaseEnds, beliefs }) =>
    beliefs.flatMap(({ user, program, epoch, untilMs }): Finding[] => {
      const overMs = untilMs - (leaseEnds[user] ?? 0);
      // The lease may have been renewed since, never shortened: except in a Redis that lost the renewal.
      const confirmedMs = untilMs - countedTtlMs;
      const isForgotten = excuses.mayHaveForgotten({ fromMs: Math.min(confirmedMs, atMs), toMs: atMs });
      if (leases[user] !== epoch || overMs <= 0 || isForgotten) return [];
      const what = `${program} counted on epoch ${epoch} for ${overMs.toFixed(0)} ms longer than its lease in Redis`;
      return [{ check: 'belief', atMs, user, what }];
    }),
  );
}
