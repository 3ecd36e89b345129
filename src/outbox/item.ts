import type { Posted, Waiting } from '../store/outbox.js';

/** One event that is not delivered yet. */
export interface Item {
  readonly place: string;
  readonly key: string;
  /** Null where memory was better spent: it is fetched when its turn comes. */
  posted: Posted | null;
  attempts: number;
  nextMs: number;
  error: string;
  /** Redis knows of it: after a crash it is found there. */
  isKept: boolean;
  isChanged: boolean;
}

/** One that was just read. */
export function freshItem({ place, key }: Posted): Item {
  return { place, key, posted: null, attempts: 0, nextMs: 0, error: '', isKept: false, isChanged: false };
}

/** One of which Redis knows that it waits. */
export function waitingItem(place: string, { key, attempts, nextMs, error }: Waiting): Item {
  return { place, key, posted: null, attempts, nextMs, error, isKept: true, isChanged: false };
}
