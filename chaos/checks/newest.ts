import type { Ask, Eviction, Grant, History } from '../history.js';
import { countedTtlMs } from '../timing.js';
import { hurtMs, UNDER_WAY_MS } from './evictions.js';
import { NOTICE_MS } from './excuses.js';
import type { Finding } from './finding.js';

/**
 * Promise 8: the newest act of a person wins, also over a Redis that lost it. Judged where one program takes the seat from
 * another: all acts of the winner were over before the loser's act was asked for. Not judged: a program that is refused
 * when it comes back, since its lease may have ended while it was away.
 */
export function checkNewest(history: History): Finding[] {
  return history.evictions.flatMap((eviction): Finding[] => {
    const { user, program, byEpoch, reason, atMs } = eviction;
    const winner = winnerOf(eviction, history);
    const act = actOf(eviction, history);
    if (winner === null || act === null || winner.program === program) return [];
    if (mayHaveEndedOtherwise(eviction, act, history) || wasOut(eviction, winner, history)) return [];
    if (mayHaveActedLater(winner, act, atMs, history)) return [];
    const what =
      `${program}: its act (epoch ${act.epoch}) was ended (${reason}) by ${winner.program} ` +
      `with epoch ${byEpoch}, whose own acts are older`;
    return [{ check: 'newest', atMs, user, what }];
  });
}

function winnerOf({ user, byEpoch, reason }: Eviction, { grants, raises }: History): Grant | null {
  if (reason !== 'taken_over' && reason !== 'superseded') return null;
  const isIt = (grant: Grant, epoch: number) => grant.user === user && epoch === byEpoch;
  const granted = grants.find((grant) => isIt(grant, grant.epoch));
  return granted ?? raises.find(({ grant, epoch }) => isIt(grant, epoch))?.grant ?? null;
}

/** The loser's newest act that was granted, and not after the grant that was ended. */
function actOf({ program, atMs, epoch }: Eviction, { grants }: History): Grant | null {
  if (epoch === 0) return null;
  const acts = grants.filter(
    (one) => one.program === program && one.isAct && !one.shared && one.ackMs <= atMs && one.epoch <= epoch,
  );
  return acts.at(-1) ?? null;
}

/** Whether the seat may have been free: an administrator, or the loser itself, ended the session. */
function mayHaveEndedOtherwise({ user, program, atMs }: Eviction, act: Grant, history: History): boolean {
  const wasOrdered = history.adminEvictions.some(
    (order) => order.user === user && order.sentMs <= atMs && (order.ackMs ?? atMs) >= act.askedMs,
  );
  return wasOrdered || history.releases.has(program);
}

/** Whether the loser's lease may have run out before the winner, which was away, came back and found the seat free. */
function wasOut({ program, atMs }: Eviction, winner: Grant, { grants }: History): boolean {
  const last = grants.filter((one) => one.program === program && one.ackMs <= atMs).at(-1);
  return last === undefined || winner.ackMs >= last.confirmed.sentMs + countedTtlMs - NOTICE_MS;
}

function mayHaveActedLater(winner: Grant, act: Grant, atMs: number, history: History): boolean {
  return history.asks.some(
    (ask) =>
      ask.program === winner.program &&
      ask.isAct &&
      ask.askedMs <= atMs &&
      doneMs(ask, atMs, history) >= act.askedMs,
  );
}

/** By when it was carried out, at the latest. Without an answer it may still be under way for a while. */
function doneMs(
  { answer, answeredMs, askedMs, node, isAsking }: Ask,
  atMs: number,
  history: History,
): number {
  // Whoever asks the holder is granted the seat when that has answered.
  if (answeredMs === null || isAsking) return Number.POSITIVE_INFINITY;
  return answer === 'none' ? answeredMs + UNDER_WAY_MS + hurtMs(node, askedMs, atMs, history) : answeredMs;
}
