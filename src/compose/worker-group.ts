import type { GroupDoor } from '../gateway/group-door.js';

/** The other processes on the same ports (`SOLESEAT_WORKERS`), as a node sees them. */
export interface WorkerGroup {
  /** Its number in the group, from 1: a process that is started anew keeps it. */
  readonly worker: number;
  readonly door: GroupDoor;
  /** The metrics of all, added up, in Prometheus's text form. */
  metrics(): Promise<string>;
  /** Whether another one takes sessions. */
  isReadyElsewhere(): Promise<boolean>;
}
