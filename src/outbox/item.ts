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

/** The item of an event that was just read from the outbox. */
export function freshItem({ place, key }: Posted): Item {
  return { place, key, posted: null, attempts: 0, nextMs: 0, error: '', isKept: false, isChanged: false };
}

/** The item of an event that waits, as Redis knows it. */
export function waitingItem(place: string, { key, attempts, nextMs, error }: Waiting): Item {
  return { place, key, posted: null, attempts, nextMs, error, isKept: true, isChanged: false };
}
