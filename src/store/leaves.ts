import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { reachStore } from './errors.js';
import type { KeyNames } from './keys.js';
import type { HeldLease } from './lease-types.js';
import { type RedisConnection, redisNodes } from './redis.js';
import type { SeatScripts } from './seat-scripts.js';
import { slotOf } from './slots.js';

export type LeaveAnswer =
  | {
      readonly outcome: 'left';
      readonly epoch: number;
      readonly rank: number;
      /** Unix ms by Redis's clock. */
      readonly leaveUntilMs: number;
      readonly forMs: number;
      readonly nowMs: number;
    }
  /** The org lets nobody take a seat along, or the license has ended; or the grant is another's by now. */
  | { readonly outcome: 'not_allowed' | 'lost' };

type LeaveReply = { readonly now: string } & (
  | {
      readonly outcome: 'left';
      readonly epoch: string;
      readonly rank: string;
      readonly leaveUntil: string;
      readonly forMs: string;
    }
  | { readonly outcome: 'not_allowed' | 'lost' }
);

export interface LeavesParts {
  readonly redis: RedisConnection;
  readonly seats: SeatScripts;
  readonly keys: KeyNames;
}

const REPLICAS_WITHIN_MS = 2000;
const DAY_MS = 86_400_000;

/** Seats that are taken along (lua/leave.lua). */
export class Leaves {
  constructor(private readonly parts: LeavesParts) {}

  /** Takes the seat along for at most so long. Rejects with StoreUnavailable or StoreDefect. */
  async take(lease: HeldLease, forMs: number): Promise<LeaveAnswer> {
    const { sessionId, epoch, connection } = lease;
    const order = { sessionId, epoch: String(epoch), connection, forMs };
    const reply = await reachStore(() => this.parts.seats.ask<LeaveReply>('leave', lease, order));
    if (reply.outcome !== 'left') return { outcome: reply.outcome };
    return {
      outcome: 'left',
      epoch: Number(reply.epoch),
      rank: Number(reply.rank),
      leaveUntilMs: Number(reply.leaveUntil),
      forMs: Number(reply.forMs),
      nowMs: Number(reply.now),
    };
  }

  /**
   * Whether a failover would keep the leave: the replicas have it, or, without any, the append-only file is on. Asked on a
   * connection of its own, as WAIT holds up all that comes behind it. Never rejects.
   */
  async isSafe({ org, user }: HeldLease, epoch: number, forMs: number): Promise<boolean> {
    const own = this.#masterOf(org)?.duplicate({
      commandTimeout: 2 * REPLICAS_WITHIN_MS,
      lazyConnect: true,
      retryStrategy: () => null,
      sentinelRetryStrategy: () => null,
    });
    if (own === undefined) return false;
    own.on('error', () => {});
    try {
      await within(2 * REPLICAS_WITHIN_MS, own.connect());
      const info = await own.info();
      const replicas = Number(/^connected_slaves:(\d+)/m.exec(info)?.[1] ?? Number.NaN);
      const { keys } = this.parts;
      // A write that changes nothing stands behind the leave in the stream to the replicas.
      await own.pexpire(keys.fence(org, user), Math.ceil(forMs + DAY_MS));
      const value = await own.get(keys.lease(org, user));
      if (!value?.includes(`:${epoch}:`)) return false;
      if (replicas === 0) return /^aof_enabled:1/m.test(info);
      return (await own.wait(replicas, REPLICAS_WITHIN_MS)) >= replicas;
    } catch {
      return false;
    } finally {
      own.disconnect();
    }
  }

  /** Turns a leave back; null where it is not that one any more. Rejects with StoreUnavailable or StoreDefect. */
  async undo(
    lease: HeldLease,
    epoch: number,
  ): Promise<{ readonly epoch: number; readonly rank: number } | null> {
    const { sessionId, connection, asks, isIdleTold } = lease;
    const tells = { ...(asks && { asks: '1' }), ...(isIdleTold && { idle: '1' }) };
    const order = { sessionId, epoch: String(epoch), connection, ...tells };
    const reply = await reachStore(() =>
      this.parts.seats.ask<{ outcome: 'back'; epoch: string; rank: string } | { outcome: 'none' }>(
        'unleave',
        lease,
        order,
      ),
    );
    return reply.outcome === 'none' ? null : { epoch: Number(reply.epoch), rank: Number(reply.rank) };
  }

  #masterOf(org: string): Redis | undefined {
    const { redis, keys } = this.parts;
    if (redis instanceof Redis) return redis;
    const [address] = redis.slots[slotOf(keys.epoch(org))] ?? [];
    return redisNodes(redis).find((node) => node.role === 'master' && node.address === address)?.redis;
  }
}

/** Rejects where it takes longer. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = new AbortController();
  const timeout = setTimeout(ms, undefined, { signal: late.signal }).then(() => {
    throw new Error('Redis was not reached in time');
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    timeout.catch(() => {});
    late.abort();
  }
}
