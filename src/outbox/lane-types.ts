import type { Posted, Progress, Waiting } from '../store/outbox.js';
import type { Webhook } from '../store/webhooks.js';
import type { SendOutcome } from './sender.js';

/** More waiting events than these park a webhook. */
export const WAITING_AT_MOST = 100_000;

/** When a failed delivery is tried again, and when no more. */
export interface Patience {
  readonly firstMs: number;
  readonly mostMs: number;
  /** After this time from when it was posted an event is put aside. */
  readonly giveUpMs: number;
}

export interface LaneParts {
  /** Posts one event. Never rejects. */
  readonly send: (webhook: Webhook, posted: Posted) => Promise<SendOutcome>;
  /** The event at a place; null where it is there no more. */
  readonly fetch: (place: string) => Promise<Posted | null>;
  readonly putAside: (posted: Posted, why: Pick<Waiting, 'attempts' | 'error'>) => Promise<void>;
  readonly parkWebhook: (reason: 'too_many_waiting' | 'gone', waiting: number) => void;
  /** Whether it is this node’s turn. */
  readonly mayDeliver: () => boolean;
  readonly onAttempt: (outcome: 'delivered' | 'failed' | 'parked' | 'lost') => void;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly patience: Patience;
  readonly waitingAtMost: number;
}

/** What Redis is to know of a lane, and what to call once it does, or does not. */
export interface ToNote extends Progress {
  readonly settled: readonly string[];
  readonly done: () => void;
  readonly failed: () => void;
}
