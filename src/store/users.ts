import { caseFolded } from '../protocol/text.js';
import { OnLeave, reachStore } from './errors.js';
import type { Events } from './events.js';
import type { KeyNames } from './keys.js';
import type { Actor } from './license-types.js';
import type { RedisConnection } from './redis.js';
import type { SeatScripts } from './seat-scripts.js';

/** A year: a longer time belongs into the license. */
export const MAX_HOLD_MS = 366 * 86_400_000;

/** A time for which a user is kept out. */
export interface Hold {
  /** Unix ms by Redis's clock. */
  readonly untilMs: number;
  /** Null: the event that told it is too far back. */
  readonly actor: string | null;
  readonly note: string | null;
}

/** What an org knows of a user, beside license, session and machines. */
export interface KnownUser {
  /** Whether there is anything of the user: a license, a session, machines, a past. */
  readonly isKnown: boolean;
  readonly hold: Hold | null;
}

export interface HoldOrder {
  readonly org: string;
  readonly user: string;
  /** 0 lifts the hold. */
  readonly holdMs: number;
  readonly actor: Actor;
  readonly note?: string;
}

export interface RenameOrder {
  readonly org: string;
  readonly user: string;
  readonly to: string;
  /** For how long tokens with the old name come in under the new one. */
  readonly aliasMs: number;
  readonly actor: Actor;
  readonly note?: string;
  /** Also where the user is on leave. */
  readonly forced?: boolean;
}

/** What was done to a user, or why it was not. */
export type UserAnswer =
  | { readonly outcome: 'done'; readonly endedSessionId: string | null }
  | { readonly outcome: 'refused'; readonly reason: 'not_found' | 'exists' };

/** What is there of a user, and would go. */
export interface Traces {
  readonly license: string | null;
  readonly hasSession: boolean;
  readonly machines: number;
  readonly sessions: number;
}

interface UserReply {
  readonly outcome: UserAnswer['outcome'];
  readonly reason?: 'not_found' | 'exists' | 'on_leave';
  readonly leaveUntil?: string;
  readonly ended?: string;
}

interface UsersParts {
  readonly redis: RedisConnection;
  readonly keys: KeyNames;
  readonly seats: SeatScripts;
  readonly events: Events;
  readonly nowMs: () => number;
}

/** Users of an org: whether they are known, and held. Rejects with StoreUnavailable or StoreDefect. */
export class Users {
  constructor(private readonly parts: UsersParts) {}

  async about(org: string, user: string): Promise<KnownUser> {
    const { redis, keys, nowMs } = this.parts;
    const theirs = ['license', 'lease', 'machines', 'history'] as const;
    const [there, alias, holdUntil] = await reachStore(() =>
      Promise.all([
        redis.exists(...theirs.map((name) => keys[name](org, user))),
        redis.hexists(keys.aliases(org), user),
        redis.hget(keys.license(org, user), 'holdUntil'),
      ]),
    );
    const untilMs = Number(holdUntil ?? 0);
    const hold = untilMs > nowMs() ? await this.#holdOf(org, user, untilMs) : null;
    return { isKnown: there > 0 || alias === 1, hold };
  }

  /** Keeps a user out for so long, or lets them in again. Gives until when (Unix ms); null: they are not held. */
  async hold({ org, user, ...order }: HoldOrder): Promise<number | null> {
    const reply = await reachStore(() =>
      this.parts.seats.ask<{ readonly holdUntil?: string }>('hold', { org, user }, order),
    );
    return reply.holdUntil === undefined ? null : Number(reply.holdUntil);
  }

  /** Gives a user another name, which must be nobody's. A live session ends. */
  async rename({ org, user, to, ...order }: RenameOrder): Promise<UserAnswer> {
    const { keys } = this.parts;
    const theirs = [
      'license',
      'machines',
      'machineNotes',
      'machineDoubles',
      'history',
      'bound',
      'fence',
      'renamed',
    ] as const;
    const more = theirs.map((name) => keys[name](org, to));
    const names = { to, ...foldedOf('folded', to), ...foldedOf('foldedUser', user) };
    return this.#ask('rename', { org, user }, { ...order, ...names }, more);
  }

  /** What `forget` would take away. */
  async traces(org: string, user: string): Promise<Traces> {
    const { redis, keys } = this.parts;
    const [license, lease, machines, sessions] = await reachStore(() =>
      Promise.all([
        redis.hget(keys.license(org, user), 'status'),
        redis.exists(keys.lease(org, user)),
        redis.zcard(keys.machines(org, user)),
        redis.xlen(keys.history(org, user)),
      ]),
    );
    return { license, hasSession: lease === 1, machines, sessions };
  }

  /** Takes away all that names a user. What the past tells stays, without the name. */
  async forget(order: Omit<HoldOrder, 'holdMs'> & Pick<RenameOrder, 'forced'>): Promise<UserAnswer> {
    const { org, user, ...more } = order;
    return this.#ask('forget', { org, user }, { ...more, ...foldedOf('folded', user) });
  }

  async #ask(
    script: 'rename' | 'forget',
    seat: { readonly org: string; readonly user: string },
    order: object,
    more: readonly string[] = [],
  ): Promise<UserAnswer> {
    const reply = await reachStore(() => this.parts.seats.ask<UserReply>(script, seat, order, more));
    if (reply.outcome === 'done') return { outcome: 'done', endedSessionId: reply.ended ?? null };
    const { reason = 'not_found' } = reply;
    if (reason === 'on_leave') throw new OnLeave(Number(reply.leaveUntil));
    return { outcome: 'refused', reason };
  }

  /** The act that keeps the user out names who did it, and why. */
  async #holdOf(org: string, user: string, untilMs: number): Promise<Hold> {
    const filter = { type: 'user.held', user };
    const [event] = (await this.parts.events.page(org, filter, null, 1)).items;
    const details = event?.details as { readonly note?: string } | undefined;
    return { untilMs, actor: event?.actor ?? null, note: details?.note ?? null };
  }
}

/** The name without case, where it is another. */
function foldedOf(field: string, name: string): Readonly<Record<string, string>> {
  const folded = caseFolded(name);
  return folded === name ? {} : { [field]: folded };
}
