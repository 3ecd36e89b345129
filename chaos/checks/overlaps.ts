import { type Grant, type History, type Holding, isEpochOf, isTogether } from '../history.js';
import { type Allowance, Excuses, NOTICE_MS } from './excuses.js';
import type { Finding } from './finding.js';

/** Two programs of a user that both believed in the seat. */
export interface Overlap extends Allowance {
  readonly user: string;
  readonly loser: Grant;
  readonly winner: Grant;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Promises 3 to 6: holdings are disjoint, but for as long as the news of a takeover may take. */
export function findOverlaps(history: History): Overlap[] {
  const excuses = new Excuses(history);
  return [...byUser(history.holdings)].flatMap(([user, holdings]) =>
    pairsAtOnce(holdings).map(([one, other]): Overlap => {
      const [loser, winner] = one.grant.epoch < other.grant.epoch ? [one, other] : [other, one];
      const span = {
        fromMs: Math.max(one.fromMs, other.fromMs),
        toMs: Math.min(one.toMs, other.toMs),
      };
      const allowed = excuses.allowance(loser.grant, winner.grant.askedMs, span);
      return { user, loser: loser.grant, winner: winner.grant, ...span, ...allowed };
    }),
  );
}

export function checkOverlaps(overlaps: readonly Overlap[]): Finding[] {
  return overlaps
    .filter(({ fromMs, toMs, ms }) => toMs - fromMs > ms)
    .map(({ user, loser, winner, fromMs, toMs, ms, excuse }) => ({
      check: 'overlap',
      atMs: toMs,
      user,
      what:
        `${loser.program} (epoch ${loser.epoch}) went on believing for ${(toMs - fromMs).toFixed(0)} ms ` +
        `beside ${winner.program} (epoch ${winner.epoch}); allowed are ${ms.toFixed(0)} ms (${excuse})`,
    }));
}

/** Promise 5: whatever happens to notices, no renewal is confirmed once the seat is somebody else's or nobody's. */
export function checkConfirmed(history: History): Finding[] {
  const excuses = new Excuses(history);
  const grantsOf = byUser(history.grants.map((grant) => ({ grant })));
  return history.grants.flatMap((grant): Finding[] => {
    const ends = [
      ...(grantsOf.get(grant.user) ?? [])
        // What was held before a reign goes on under a higher epoch: an act between the two did not end it.
        .filter(({ grant: other }) => other.epoch > grant.lastEpoch && !isTogether(other, grant))
        .map(({ grant: other }) => ({ sinceMs: other.ackMs, askedMs: other.askedMs, by: other.program })),
      ...history.adminEvictions
        .filter(({ user, epoch }) => user === grant.user && isEpochOf(grant, epoch))
        .map(({ ackMs, sentMs }) => ({ sinceMs: ackMs ?? sentMs, askedMs: sentMs, by: 'an administrator' })),
    ];
    const first = ends.sort((a, b) => a.sinceMs - b.sinceMs)[0];
    if (first === undefined) return [];
    const { heardMs, sentMs } = grant.confirmed;
    const window = { fromMs: first.askedMs, toMs: heardMs };
    const slackMs =
      NOTICE_MS + excuses.slownessMs(window, grant.node) + excuses.stoppedMs(grant.node, heardMs);
    const lateMs = sentMs - first.sinceMs;
    if (lateMs <= slackMs || excuses.mayHaveForgotten(window)) return [];
    const what =
      `${grant.program}: epoch ${grant.epoch} was confirmed ${lateMs.toFixed(0)} ms ` +
      `after ${first.by} had ended it`;
    return [{ check: 'confirmed', atMs: heardMs, user: grant.user, what }];
  });
}

function byUser<T extends { readonly grant: Grant }>(items: readonly T[]): Map<string, T[]> {
  const users = new Map<string, T[]>();
  for (const item of items) {
    const own = users.get(item.grant.user);
    if (own === undefined) users.set(item.grant.user, [item]);
    else own.push(item);
  }
  return users;
}

/** The pairs of different programs whose spans meet. */
function pairsAtOnce(holdings: readonly Holding[]): [Holding, Holding][] {
  const pairs: [Holding, Holding][] = [];
  let open: Holding[] = [];
  for (const holding of [...holdings].sort((a, b) => a.fromMs - b.fromMs)) {
    open = open.filter((one) => one.toMs > holding.fromMs);
    for (const one of open) {
      const isOther = one.grant.program !== holding.grant.program;
      const areApart = isOther && !isTogether(one.grant, holding.grant);
      if (areApart && holding.toMs > holding.fromMs) pairs.push([one, holding]);
    }
    open.push(holding);
  }
  return pairs;
}
