import { type Eviction, type Grant, type History, isEpochOf } from '../history.js';
import { timing } from '../timing.js';
import { Excuses } from './excuses.js';
import type { Finding } from './finding.js';

type Seen = Pick<
  History,
  'asks' | 'grants' | 'raises' | 'evictions' | 'adminEvictions' | 'releases' | 'faults'
>;

/** A claim whose client has gone may still run: it is sent twice, and twice again with Redis's time mended. */
export const UNDER_WAY_MS = 4 * timing.commandTimeoutMs;

/**
 * Promise 10: every `evicted` has a cause: a claim that came later and got a higher epoch, or an administrator.
 * A claim that was never answered may be that one, as it may have been granted.
 */
export function checkEvictions(history: Seen): Finding[] {
  return history.evictions.flatMap((eviction) => {
    const { user, program, epoch, byEpoch, reason, atMs } = eviction;
    // A program that comes back to a session that it shares ends its own older connection, under the same epoch.
    const isSame = (grant: Grant) => grant.user === user && grant.shared && isEpochOf(grant, epoch);
    if (reason === 'superseded' && epoch === byEpoch && history.grants.some(isSame)) return [];
    if (epoch >= byEpoch) {
      const what = `${program}: epoch ${epoch} was ended by ${byEpoch}, which is not above it`;
      return [{ check: 'eviction' as const, atMs, user, what }];
    }
    const hasCause =
      // Whether it was idle is another check's to say.
      reason === 'idle_timeout' ||
      wasClaimed(eviction, history) ||
      mayHaveBeenClaimed(eviction, history) ||
      wasOrdered(eviction, history) ||
      mayHaveBeenPutBack(eviction, history);
    if (hasCause) return [];
    const what = `${program}: evicted (${reason}) from epoch ${epoch} without a cause`;
    return [{ check: 'eviction' as const, atMs, user, what }];
  });
}

/** By a claim above it, or by one from before a reign that was confirmed above it. */
function wasClaimed({ user, epoch, byEpoch, atMs }: Eviction, { grants, raises }: Seen): boolean {
  const isAbove = (grant: Grant, one: number) =>
    grant.user === user && one > epoch && one <= byEpoch && grant.askedMs <= atMs;
  return (
    grants.some((grant) => isAbove(grant, grant.epoch)) ||
    raises.some((raise) => isAbove(raise.grant, raise.epoch))
  );
}

/** By the node of another session, which Redis had forgotten: its client may not have heard of the epoch it got. */
function mayHaveBeenPutBack({ user, program, atMs }: Eviction, { grants, faults }: Seen): boolean {
  const excuses = new Excuses({ faults, asks: [], silences: [], slowness: [] });
  return grants.some(
    (grant) =>
      grant.user === user &&
      grant.program !== program &&
      grant.confirmed.heardMs >= atMs - timing.ttlMs &&
      grant.ackMs <= atMs &&
      excuses.mayHaveForgotten({ fromMs: grant.askedMs, toMs: atMs }),
  );
}

function mayHaveBeenClaimed({ user, epoch, reason, atMs }: Eviction, history: Seen): boolean {
  const own = history.grants.find((grant) => grant.user === user && isEpochOf(grant, epoch));
  const sinceMs = own?.askedMs ?? 0;
  return history.asks.some((ask) => {
    if (ask.user !== user || ask.answer !== 'none' || ask.askedMs > atMs || ask.askedMs === sinceMs)
      return false;
    // Only who gives a seat back can have it end as released.
    if (reason === 'released' && !history.releases.has(ask.program)) return false;
    const doneMs = ask.answeredMs ?? Number.POSITIVE_INFINITY;
    return doneMs + UNDER_WAY_MS + hurtMs(ask.node, ask.askedMs, atMs, history) >= sinceMs;
  });
}

/** For how long in that time the node or Redis may not have done what they were sent. */
export function hurtMs(
  node: string,
  fromMs: number,
  toMs: number,
  { faults }: Pick<History, 'faults'>,
): number {
  return faults
    .filter(({ target }) => target === node || target === 'redis')
    .map(({ startMs, endMs }) => Math.min(endMs, toMs) - Math.max(startMs, fromMs))
    .reduce((sum, ms) => sum + Math.max(0, ms), 0);
}

/** An order ends whoever has the seat, also a session that its Redis had forgotten, or that began meanwhile. */
function wasOrdered({ user, epoch, atMs }: Eviction, { adminEvictions, grants, faults }: Seen): boolean {
  const sinceMs = grants.find((grant) => grant.user === user && isEpochOf(grant, epoch))?.askedMs ?? 0;
  const excuses = new Excuses({ faults, asks: [], silences: [], slowness: [] });
  return adminEvictions.some(({ user: whose, sentMs, ackMs, epoch: ended }) => {
    if (whose !== user || sentMs > atMs) return false;
    if (ackMs === null) return true;
    if (ended === null) return excuses.mayHaveForgotten({ fromMs: sinceMs, toMs: ackMs });
    return ended >= epoch || ackMs >= sinceMs;
  });
}
