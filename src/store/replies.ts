import type { Machine } from '#client/protocol/messages.js';
import { StoreDefect } from './errors.js';
import type { Learnt } from './horizon.js';
import type { DenialReason, EvictionReason, HeldLease, Question, RenewAnswer } from './lease-types.js';

/** What a conflict tells of the holder. */
export interface HolderReply {
  readonly machine: { readonly name?: string };
  readonly since: string;
  readonly sameMachine?: true;
  readonly onLeaveUntil?: string;
}

/** Replies of the scripts as they travel: numbers as text. Only leases.ts reads them. */
export type ClaimReply = { readonly now: string } & Learnt &
  (
    | {
        readonly outcome: 'granted';
        readonly sessionId: string;
        readonly epoch: string;
        readonly rank: string;
        readonly resumed: boolean;
        readonly ahead?: boolean;
        readonly since: string;
        readonly license?: {
          readonly id: string;
          readonly expiresAt?: string;
          readonly graceEndsAt?: string;
          readonly kind?: string;
        };
        readonly idleLimitMs?: string;
        readonly overdrawn?: true;
        readonly shared?: true;
        readonly question?: Omit<Question, 'inMs'> & { readonly inMs: string };
        readonly displaced?: {
          readonly sessionId: string;
          readonly epoch: string;
          readonly connection?: string;
          readonly nodeId: string;
          readonly reason: 'taken_over' | 'superseded';
          readonly machine: Machine;
        };
      }
    | {
        readonly outcome: 'conflict';
        readonly holder: HolderReply;
        readonly askId?: string;
        readonly waitMs?: string;
        /** Until nobody is kept out by a ticket any more. */
        readonly retryAfterMs?: string;
      }
    | {
        readonly outcome: 'on_leave';
        readonly holder: HolderReply;
        readonly retryAfterMs: string;
      }
    | { readonly outcome: 'ask_refused' }
    | { readonly outcome: 'stale' }
    | { readonly outcome: 'spelled'; readonly user: string }
    | { readonly outcome: 'denied'; readonly reason: DenialReason }
    | { readonly outcome: 'flapping' | 'rate_limited'; readonly retryAfterMs: string }
  );

export type ReassertReply = { readonly now: string } & (
  | { readonly outcome: 'kept' | 'reasserted'; readonly epoch: string; readonly rank: string }
  | {
      readonly outcome: 'lost';
      readonly reason: EvictionReason;
      readonly byEpoch: string;
      readonly lease?: string;
    }
);

export type EvictReply =
  | { readonly outcome: 'none' }
  | { readonly outcome: 'on_leave'; readonly leaveUntil: string }
  | { readonly outcome: 'active'; readonly idleMs: string }
  | {
      readonly outcome: 'evicted';
      readonly sessionId: string;
      readonly epoch: string;
      readonly byEpoch: string;
      readonly now: string;
    };

export interface ReleaseReply {
  readonly outcome: 'released' | 'left' | 'none';
}

/** A lease as it stands in Redis; lua/lease.lua has its form. */
export interface LeaseRecord {
  readonly sessionId: string;
  readonly epoch: number;
  readonly rank: number;
  readonly nodeId: string;
  readonly sinceMs: number;
  readonly machine: Machine;
  readonly instance?: string;
  /** Several programs of the machine hold it together. */
  readonly isShared?: true;
  readonly client?: { readonly name?: string; readonly version?: string };
  readonly address?: string;
  /** The user took the seat along, until then. */
  readonly leaveUntilMs?: number;
}

/** A script's JSON reply; the scripts in lua/ are the other half of these types. Throws StoreDefect. */
export function readReply<T>(reply: unknown): T {
  try {
    return JSON.parse(String(reply)) as T;
  } catch (error) {
    throw new StoreDefect(error);
  }
}

interface SeatFields extends Pick<LeaseRecord, 'client' | 'address'> {
  readonly rank?: string;
  readonly leave?: string;
  readonly instance?: string;
  readonly shared?: string;
}

const leaseForm = /^([^:]+):(\d+):([^:]+):(\d+):(.*)$/s;

/** Reads a lease's value, null when there is none or it is not one. */
export function parseLease(value: string): LeaseRecord | null {
  const parts = leaseForm.exec(value);
  if (parts === null) return null;
  const [, sessionId = '', epoch, nodeId = '', since, text = '{}'] = parts;
  const { seat, ...own } = JSON.parse(text) as Machine & { readonly seat?: SeatFields };
  return {
    sessionId,
    epoch: Number(epoch),
    // A lease of version 0.1 has none.
    rank: Number(seat?.rank ?? epoch),
    nodeId,
    sinceMs: Number(since),
    machine: own,
    ...(seat?.client && { client: seat.client }),
    ...(seat?.address !== undefined && { address: seat.address }),
    ...(seat?.leave !== undefined && { leaveUntilMs: Number(seat.leave) }),
    ...(seat?.instance !== undefined && { instance: seat.instance }),
    ...(seat?.shared !== undefined && { isShared: true }),
  };
}

/** How the lease's value begins while it is this grant's: what the scripts compare (promise 1). */
export function fenceOf(lease: HeldLease): string {
  return `${lease.sessionId}:${lease.epoch}:`;
}

/** Whether a lease gives way to this one: the newest act of a person wins (promise 8). As givesWay in lua/lease.lua. */
export function givesWay(holder: LeaseRecord, lease: HeldLease): boolean {
  return holder.rank === lease.rank ? holder.epoch <= lease.epoch : holder.rank < lease.rank;
}

/** Whether a lease is of the session that this program holds too, or did before Redis lost that. As in lua/reassert.lua. */
export function isTogether(holder: LeaseRecord, lease: HeldLease): boolean {
  if (holder.sessionId !== lease.sessionId || holder.rank < lease.rank) return false;
  if (holder.instance === undefined || lease.instance === undefined) return false;
  return holder.isShared === true || holder.instance !== lease.instance;
}

/** The answer to a renewal that found another session's lease. */
export function lostTo(lease: HeldLease, holder: LeaseRecord, nowMs: number): RenewAnswer {
  const reason = lease.machineId === holder.machine.id ? 'superseded' : 'taken_over';
  return { outcome: 'lost', reason, by: holder.machine, epoch: holder.epoch, nowMs };
}
