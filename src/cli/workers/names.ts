import { availableParallelism } from 'node:os';

/** Tells a process that it is a worker, and which one. No setting: the supervisor alone sets it. */
export const WORKER_NUMBER = 'WORKER_NUMBER_OF_SOLESEAT';

/** How many processes the setting asks for. */
export function workersOf(setting: string): number {
  return setting === 'auto' ? availableParallelism() : Number(setting);
}
