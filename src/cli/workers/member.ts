import cluster from 'node:cluster';
import type { WorkerGroup } from '../../compose/worker-group.js';
import type { Refusal } from '../../gateway/upgrade.js';
import { Channel } from './channel.js';
import { WORKER_NUMBER } from './names.js';

/** The answers of this worker to its supervisor. */
export interface OwnAnswers {
  /** The metrics of this process, as prom-client adds them up. */
  readonly metrics: () => Promise<unknown>;
  readonly isReady: () => boolean;
}

/** The group that this process is a worker of; null where it stands alone. */
export function joinGroup(own: () => OwnAnswers | null): (WorkerGroup & { started(): void }) | null {
  if (!cluster.isWorker || process.env[WORKER_NUMBER] === undefined) return null;
  // The supervisor is gone: this process ends with it.
  cluster.worker?.on('error', () => {});
  const channel = new Channel(
    {
      send: (message) => {
        if (process.connected) process.send?.(message);
      },
      onMessage: (listener) => process.on('message', listener),
    },
    { ownMetrics: () => own()?.metrics() ?? [], ownReady: () => own()?.isReady() ?? false },
  );
  // Where the supervisor is gone, this process is about to end with it.
  const judgeTogether = (about: string, body: unknown) =>
    channel.ask(about, body).then(
      (verdict) => verdict as Refusal | null,
      () => null,
    );
  return {
    worker: Number(process.env[WORKER_NUMBER]),
    door: {
      enter: (address, isKnown) => judgeTogether('enter', { address, isKnown }),
      left: (address) => channel.tell('left', address),
      attempted: (address) => judgeTogether('attempted', address),
      sawStranger: (address) => channel.tell('stranger', address),
    },
    metrics: async () => String(await channel.ask('metrics')),
    isReadyElsewhere: () =>
      channel.ask('ready').then(
        (isReady) => isReady === true,
        () => false,
      ),
    started: () => channel.tell('started'),
  };
}
