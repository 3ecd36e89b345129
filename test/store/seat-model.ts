import type { ConflictPolicy } from '../../packages/client/src/protocol/messages.js';

/** A lease as Redis should have it. */
export interface Seat {
  readonly sessionId: string;
  readonly epoch: number;
  readonly rank: number;
  readonly connection: string;
  readonly node: string;
  readonly machine: string;
  readonly instance: string | undefined;
  readonly attempt: number | undefined;
  readonly sinceMs: number;
}

/** A claim as the model needs it. */
export interface ModelClaim {
  readonly machine: string;
  readonly instance: string | undefined;
  readonly attempt: number | undefined;
  readonly resume: string | undefined;
  readonly onConflict: ConflictPolicy;
}

export type ClaimVerdict =
  | { readonly verdict: 'stale' }
  | { readonly verdict: 'conflict'; readonly sameMachine: boolean }
  | {
      readonly verdict: 'granted';
      readonly resumed: boolean;
      readonly isRepeat: boolean;
      readonly namesSession: boolean;
      readonly ending: 'taken_over' | 'superseded' | null;
    };

/** What an org should hold in Redis, as plain collections that can be copied, as a replica has them. */
export class SeatModel {
  readonly seats = new Map<string, Seat>();
  /** user → the session that is counted as active, also when its lease has run out. */
  readonly held = new Map<string, string>();
  readonly counters = new Map<string, number>();
  readonly fences = new Map<string, { readonly rank: number; readonly reason: string }>();

  copy(): SeatModel {
    const copy = new SeatModel();
    for (const name of ['seats', 'held', 'counters', 'fences'] as const)
      for (const [key, value] of this[name]) (copy[name] as Map<string, unknown>).set(key, value);
    return copy;
  }

  count(counter: string): void {
    this.counters.set(counter, (this.counters.get(counter) ?? 0) + 1);
  }

  /** Promise 13: each end is counted, and has its event. */
  end(reason: string): void {
    this.count(`ended:${reason}`);
    this.count('written:ended');
  }

  judge(seat: Seat | undefined, claim: ModelClaim): ClaimVerdict {
    const isSame = seat !== undefined && seat.machine === claim.machine;
    const namesSession = isSame && claim.resume === seat.sessionId;
    const bothTell = isSame && seat.instance !== undefined && claim.instance !== undefined;
    const resumed = bothTell ? seat.instance === claim.instance : namesSession;
    const compares = resumed && seat?.attempt !== undefined && claim.attempt !== undefined;
    if (compares && (claim.attempt ?? 0) < (seat.attempt ?? 0)) return { verdict: 'stale' };
    const isRepeat = compares && claim.attempt === seat.attempt;
    if (seat !== undefined && !resumed && claim.onConflict !== 'takeover')
      return { verdict: 'conflict', sameMachine: isSame };
    const ending = seat === undefined || resumed ? null : isSame ? 'superseded' : 'taken_over';
    return { verdict: 'granted', resumed, isRepeat, namesSession, ending };
  }
}
