import { Cluster } from 'ioredis';
import type { Log } from '../base/log.js';
import type { Metrics } from '../base/metrics.js';
import type { Setback } from './horizon.js';
import type { KeyNames } from './keys.js';
import type { RedisConnection } from './redis.js';
import { markSchema } from './schema.js';

export interface SetbackParts {
  readonly redis: RedisConnection;
  readonly keys: () => KeyNames;
  /** Asks Redis about every session soon. */
  readonly verifyAll: () => void;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** What a node does when Redis's clock was set, or Redis has lost something (promise 8). */
export class Setbacks {
  constructor(private readonly parts: SetbackParts) {}

  clockStepped(stepMs: number): void {
    const { redis, metrics, log, verifyAll } = this.parts;
    // The masters of a cluster have a clock each, and answer in turn.
    if (redis instanceof Cluster) return;
    metrics.clockSteps.inc();
    log.warn({ stepMs: Math.round(stepMs) }, "Redis's clock was set, or this machine stood still");
    verifyAll();
  }

  /** Redis has lost its data, or some of it. */
  forgotten(): void {
    const { redis, keys, log, verifyAll } = this.parts;
    verifyAll();
    markSchema(redis, keys()).catch((error: unknown) =>
      log.debug({ reason: String(error) }, 'the version of the data is not written'),
    );
  }

  /** The operator is told how far Redis went back; docs/runbook.md says what to do. */
  wentBack(setback: Partial<Setback>): void {
    this.parts.metrics.wentBack.inc();
    this.parts.log.warn(setback, 'Redis went back in time: what was written meanwhile is lost');
  }
}
