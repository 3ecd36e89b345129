import type { Refusal } from './upgrade.js';

/** Limits by address over several processes that share the public port (`SOLESEAT_WORKERS`). */
export interface GroupDoor {
  /** Counts an attempt, and a connection where no limit is met: then `left` must follow. */
  enter(address: string, isKnown: boolean): Promise<Refusal | null>;
  left(address: string): void;
  /** Counts an attempt that this process has refused by itself. */
  attempted(address: string): void;
  sawStranger(address: string): void;
}
