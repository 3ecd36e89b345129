import type { Machine } from '#client/protocol/messages.js';
import type { EvictionReason } from '../store/lease-types.js';

/** How this node learned that a session had ended. */
export type EvictionPath = 'local' | 'pubsub' | 'renewal';

/** How a session ended from outside. */
export interface Ending {
  readonly reason: EvictionReason;
  readonly by: Machine | null;
  /** Unix ms by Redis's clock. */
  readonly at: number;
  readonly epoch: number;
}
