import type { NotReady } from '../admin/probes.js';
import type { Outages } from '../store/outages.js';

export interface NodeState {
  readonly isDraining: boolean;
  readonly isStarted: boolean;
  readonly outages: Outages;
  /** Whether Redis answers. */
  readonly isUp: boolean;
  /** Whether tokens can be judged. */
  readonly hasKeys: boolean;
}

/** Why a node takes no sessions, for `/readyz`; null where it takes them. */
export function notReadyBecause({
  isDraining,
  isStarted,
  outages,
  isUp,
  hasKeys,
}: NodeState): NotReady | null {
  if (isDraining) return { reason: 'draining' };
  if (!isStarted) return outages.firstReason() ?? { reason: 'starting' };
  if (!hasKeys) return { reason: 'the keys of tokens cannot be had yet' };
  return outages.reasonWith(isUp);
}
