import type { ConflictPolicy } from '../../packages/client/src/protocol/messages.js';

/** One of several programs that hold a session together. */
export interface Sharer {
  readonly connection: string;
  readonly node: string;
  readonly attempt: number | undefined;
}

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
  /** By instance, in the order in which they came; undefined: one program has it alone. */
  readonly sharers?: ReadonlyMap<string, Sharer> | undefined;
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
      /** It holds the session that others of its machine hold. */
      readonly isTogether: boolean;
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

  /** `isShare`: the org lets programs of one machine share a session. */
  judge(seat: Seat | undefined, claim: ModelClaim, isShare = false): ClaimVerdict {
    const isSame = seat !== undefined && seat.machine === claim.machine;
    const namesSession = isSame && claim.resume === seat.sessionId;
    const bothTell = isSame && seat.instance !== undefined && claim.instance !== undefined;
    const own = isSame ? seat.sharers?.get(claim.instance ?? '') : undefined;
    let resumed = bothTell ? seat.instance === claim.instance : namesSession;
    if (isSame && seat.sharers !== undefined) resumed = own !== undefined;
    const last = own?.attempt ?? (seat?.instance === claim.instance ? seat?.attempt : undefined);
    const compares = resumed && claim.instance !== undefined && last !== undefined;
    if (compares && (claim.attempt ?? 0) < last) return { verdict: 'stale' };
    const isRepeat = compares && claim.attempt === last;
    const isFree = claim.onConflict === 'takeover';
    const joins = isShare && bothTell && !resumed && (isFree || claim.resume !== undefined);
    if (seat !== undefined && !resumed && !joins && !isFree)
      return { verdict: 'conflict', sameMachine: isSame };
    const isTogether = joins || own !== undefined;
    const ending = seat === undefined || resumed || joins ? null : isSame ? 'superseded' : 'taken_over';
    return { verdict: 'granted', resumed, isRepeat, namesSession, isTogether, ending };
  }

  /** A program holds the session of `user` too, over this connection from now on. */
  join(user: string, instance: string, sharer: Sharer, epoch: number): void {
    const seat = this.seats.get(user);
    if (seat === undefined) throw new Error(`nobody holds the seat of ${user}`);
    const sharers = new Map(seat.sharers ?? [[seat.instance ?? '', sharerIn(seat)]]);
    sharers.set(instance, sharer);
    const lead = instance === seat.instance ? sharer : sharerIn(seat);
    this.seats.set(user, { ...seat, ...lead, epoch, sharers });
    this.held.set(user, seat.sessionId);
  }

  /** A program goes: how many are left; null where this connection is not one of those that hold the session. */
  takeOut(user: string, sessionId: string, instance: string | undefined, connection: string): number | null {
    const seat = this.seats.get(user);
    if (seat?.sharers === undefined || seat.sessionId !== sessionId) return null;
    if (seat.sharers.get(instance ?? '')?.connection !== connection) return null;
    const sharers = new Map(seat.sharers);
    sharers.delete(instance ?? '');
    const [first] = sharers;
    if (first === undefined) throw new Error('a session was shared by one');
    const isLed = seat.instance !== instance && sharers.size > 1;
    const lead = isLed ? {} : { instance: first[0], ...first[1] };
    this.seats.set(user, { ...seat, ...lead, sharers: sharers.size > 1 ? sharers : undefined });
    this.count('left');
    return sharers.size;
  }
}

function sharerIn({ connection, node, attempt }: Seat): Sharer {
  return { connection, node, attempt };
}
