import type { DenialReason, EvictionReason } from '#client/protocol/close-codes.js';
import type {
  ConflictMessage,
  ConflictPolicy,
  Machine,
  ResumeRequest,
  WelcomeMessage,
} from '#client/protocol/messages.js';

export type { DenialReason, EvictionReason };

export interface LeaseConfig {
  readonly nodeId: string;
  readonly leaseTtlMs: number;
  readonly commandTimeoutMs: number;
  readonly licenseMode: string;
  readonly takeoversPerMinute: number;
  readonly claimsPerMinute: number;
  /** How long after a user's last seat their machines are kept; 0: for ever. */
  readonly machinesKeptMs: number;
  /** Traffic of an org, by number and by time. */
  readonly eventsKept: number;
  readonly sessionsKeptMs: number;
  /** For how long a revocation of tokens is remembered: no token lives longer. */
  readonly tokenLifeMs: number;
  /** Acts of an org; 0 keeps them for ever. */
  readonly actsKeptMs: number;
}

/** A lease as its node holds it: enough to renew it, release it, or put it back. */
export interface HeldLease {
  readonly org: string;
  readonly user: string;
  readonly sessionId: string;
  readonly epoch: number;
  /** The epoch of the person's act: what two leases that both want to stay are compared by. */
  readonly rank: number;
  /** The node's connection that holds it: with it the node knows its own lease, whatever its epoch. */
  readonly connection: string;
  readonly instance?: string;
  readonly attempt?: number;
  /** Name and version of the program, as JSON text made once. */
  readonly clientText?: string;
  /** The peer's address. Redis keeps it only where the org says so. */
  readonly address?: string;
  /** When its token was issued (Unix ms), where the token tells, and the token's id. */
  readonly tokenIssuedAtMs?: number;
  readonly tokenId?: string;
  /** The program tells how long nobody has been at work. */
  readonly isIdleTold?: boolean;
  /** It answers questions for its seat. */
  readonly asks?: boolean;
  /** Other programs of its machine hold it too, as far as the node knows. */
  readonly isShared?: boolean;
  /** For how long, where that has changed since the last renewal. */
  readonly idleMs?: number;
  readonly machineId: string;
  readonly sinceMs: number;
  /** The machine as JSON text, made once. */
  readonly machineText: string;
}

/** A question to the holder of a seat. */
export interface Question {
  readonly askId: string;
  /** For how long an answer is waited for. */
  readonly inMs: number;
  /** The node that serves the newcomer, and their connection there. */
  readonly askerNode: string;
  readonly asker: string;
  readonly by: Machine;
}

/** A session that was ended from outside. */
export interface Ended {
  readonly sessionId: string;
  readonly epoch: number;
  /** The epoch that ended it. */
  readonly byEpoch: number;
  /** When, by Redis's clock. */
  readonly nowMs: number;
}

export interface ClaimRequest {
  /** A retry with the same id is answered from the record, not done again. */
  readonly requestId: string;
  readonly org: string;
  readonly user: string;
  /** The id of the new session, unless the claim turns out to be a resume. */
  readonly sessionId: string;
  readonly licenseId: string;
  readonly machine: Machine;
  readonly machineText: string;
  readonly connection: string;
  readonly instance?: string;
  readonly attempt?: number;
  readonly clientText?: string;
  readonly address?: string;
  readonly tokenIssuedAtMs?: number;
  readonly tokenId?: string;
  /** How long nobody has been at work; none: the program does not tell. */
  readonly idleMs?: number;
  readonly onConflict: ConflictPolicy;
  /** The program answers questions for its seat. */
  readonly asks?: boolean;
  /** The ticket of a leave of this machine, which the broker has found to be its own. */
  readonly ticket?: { readonly sessionId: string; readonly epoch: number; readonly expiresAtMs: number };
  /** Completes a question; unput: it was put to nobody in time, which counts as yes. */
  readonly ask?: { readonly askId: string; readonly isUnput: boolean };
  /** The claim of this connection that was answered by `conflict` before. */
  readonly waited?: string;
  readonly resume?: ResumeRequest;
  /** Handed on to the node whose session the claim ends. */
  readonly trace?: string;
}

export interface Displaced {
  readonly sessionId: string;
  readonly epoch: number;
  readonly connection: string | null;
  readonly nodeId: string;
  readonly reason: 'taken_over' | 'superseded';
  readonly machine: Machine;
}

export type ClaimAnswer =
  | {
      readonly outcome: 'granted';
      readonly sessionId: string;
      readonly epoch: number;
      readonly rank: number;
      readonly resumed: boolean;
      /** The client names an epoch that Redis has not given: Redis has lost a grant. */
      readonly isAhead: boolean;
      readonly sinceMs: number;
      readonly nowMs: number;
      readonly license: WelcomeMessage['license'];
      /** For how long nobody may be at work; null: there is no limit for this session. */
      readonly idleLimitMs: number | null;
      /** It has a seat of the org's overdraft. */
      readonly isOverdrawn: boolean;
      /** Other programs of the machine hold the session too. */
      readonly isShared: boolean;
      readonly displaced: Displaced | null;
      /** Somebody has asked for the seat that is resumed, and waits for the answer. */
      readonly question: Question | null;
    }
  | {
      readonly outcome: 'conflict';
      readonly holder: ConflictMessage['holder'];
      /** Null: the holder is not being asked for this claim. */
      readonly question: { readonly askId: string; readonly waitMs: number } | null;
      /** It would have the holder asked. */
      readonly isAsking: boolean;
      /** When a ticket that keeps others out has ended, where one does (ms from now). */
      readonly retryAfterMs?: number;
    }
  /** The holder took the seat along, and cannot be told. */
  | {
      readonly outcome: 'on_leave';
      readonly holder: ConflictMessage['holder'];
      readonly retryAfterMs: number;
    }
  /** The holder said no. */
  | { readonly outcome: 'ask_refused' }
  /** Nothing was done: the user is known by another spelling, and may come again with it. */
  | { readonly outcome: 'spelled'; readonly user: string }
  /** A newer hello of the same instance has been answered: this one changed nothing (promise 15). */
  | { readonly outcome: 'stale' }
  | { readonly outcome: 'denied'; readonly reason: DenialReason }
  | { readonly outcome: 'flapping' | 'rate_limited'; readonly retryAfterMs: number };

export type RenewAnswer =
  /** Kept under its epoch, or under a new one: raised at the beginning of a reign, its rank unchanged (promise 8). */
  | {
      readonly outcome: 'kept';
      readonly raised: { readonly epoch: number; readonly rank: number } | null;
      /** Other programs hold it too; not told where it was raised. */
      readonly isShared?: true;
    }
  /** Redis had lost it, and has it back under a new epoch. */
  | { readonly outcome: 'reasserted'; readonly raised: { readonly epoch: number; readonly rank: number } }
  /** Nothing is known of this one lease; of the others of its batch, all is. */
  | { readonly outcome: 'failed'; readonly cause: unknown }
  | {
      readonly outcome: 'lost';
      readonly reason: EvictionReason;
      readonly by: Machine | null;
      readonly epoch: number;
      readonly nowMs: number;
    };
