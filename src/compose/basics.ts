import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { Metrics } from '../base/metrics.js';
import type { Settings } from '../base/settings.js';
import type { Standstill } from '../base/standstill.js';
import type { TimerWheel } from '../base/timer-wheel.js';
import type { Tracing } from '../base/tracing.js';

/**
 * What the groups of parts are made from. The settings stop here: a part gets those that it needs by name, so that none
 * holds a secret for nothing.
 */
export interface Basics {
  readonly settings: Settings;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly wheel: TimerWheel;
  readonly standstill: Standstill;
}
