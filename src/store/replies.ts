import type { Machine } from '../protocol/messages.js';
import { StoreDefect } from './errors.js';
import type { DenialReason, EvictionReason, HeldLease, RenewAnswer } from './lease-types.js';

/** Replies of the scripts as they travel: numbers as text. Only leases.ts reads them. */
export type ClaimReply = { readonly now: string } & (
  | {
      readonly outcome: 'granted';
      readonly sessionId: string;
      readonly epoch: string;
      readonly resumed: boolean;
      readonly since: string;
      readonly license?: { readonly id: string; readonly expiresAt?: string };
      readonly displaced?: {
        readonly sessionId: string;
        readonly epoch: string;
        readonly nodeId: string;
        readonly reason: 'taken_over' | 'superseded';
        readonly machine: Machine;
      };
    }
  | {
      readonly outcome: 'conflict';
      readonly holder: { readonly machine: { readonly name?: string }; readonly since: string };
    }
  | { readonly outcome: 'denied'; readonly reason: DenialReason }
  | { readonly outcome: 'flapping' | 'rate_limited'; readonly retryAfterMs: string }
);

export type ReassertReply = { readonly now: string } & (
  | { readonly outcome: 'kept' | 'reasserted' }
  | {
      readonly outcome: 'lost';
      readonly reason: EvictionReason;
      readonly byEpoch: string;
      readonly lease?: string;
    }
);

export type EvictReply =
  | { readonly outcome: 'none' }
  | { readonly outcome: 'evicted'; readonly sessionId: string; readonly epoch: string };

export interface LeaseRecord {
  readonly sessionId: string;
  readonly epoch: number;
  readonly nodeId: string;
  readonly sinceMs: number;
  readonly machine: Machine;
}

/** A script's JSON reply; the scripts in lua/ are the other half of these types. Throws StoreDefect. */
export function readReply<T>(reply: unknown): T {
  try {
    return JSON.parse(String(reply)) as T;
  } catch (error) {
    throw new StoreDefect(error);
  }
}

const leaseForm = /^([^:]+):(\d+):([^:]+):(\d+):(.*)$/s;

/** Reads a lease's value, null when there is none or it is not one. */
export function parseLease(value: string): LeaseRecord | null {
  const parts = leaseForm.exec(value);
  if (parts === null) return null;
  const [, sessionId = '', epoch, nodeId = '', since, machine = '{}'] = parts;
  return {
    sessionId,
    epoch: Number(epoch),
    nodeId,
    sinceMs: Number(since),
    machine: JSON.parse(machine) as Machine,
  };
}

/** How the lease's value begins while it is this grant's: what the scripts compare (promise 1). */
export function fenceOf(lease: HeldLease): string {
  return `${lease.sessionId}:${lease.epoch}:`;
}

/** The answer to a renewal that found another session's lease. */
export function lostTo(lease: HeldLease, holder: LeaseRecord, nowMs: number): RenewAnswer {
  const mine = JSON.parse(lease.machineText) as Machine;
  const reason = mine.id === holder.machine.id ? 'superseded' : 'taken_over';
  return { outcome: 'lost', reason, by: holder.machine, epoch: holder.epoch, nowMs };
}
