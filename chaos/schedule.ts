import type { Random } from './random.js';
import { timing } from './timing.js';

/** What may be done, and to which kind of target. */
export const faultTargets = {
  'node-kill': 'node',
  'node-stop': 'node',
  'node-drain': 'node',
  'link-cut': 'node',
  'link-half-cut-up': 'node',
  'link-half-cut-down': 'node',
  'link-delay': 'node',
  'pubsub-lost': 'node',
  'redis-kill': 'redis',
  'redis-wipe': 'redis',
  'redis-stop': 'redis',
  failover: 'redis',
  'failover-lossy': 'redis',
  flushall: 'redis',
  'script-flush': 'redis',
  'client-kill': 'redis',
  'failover-ahead': 'redis',
  'failover-split': 'redis',
  'machine-lost': 'redis',
  'client-stop': 'desk',
} as const;
export type FaultKind = keyof typeof faultTargets;
export const faultKinds = Object.keys(faultTargets) as FaultKind[];

export interface PlannedFault {
  readonly atMs: number;
  readonly kind: FaultKind;
  /** A node's name, `redis` or `desk`. */
  readonly target: string;
  /** How long it lasts, where it lasts. */
  readonly forMs: number;
  /** What else the kind needs: a delay in ms, how much a failover loses in ms. */
  readonly amountMs: number;
  /** One of two ways to do it, where there are two. */
  readonly isOtherWay: boolean;
}

export interface ScheduleOptions {
  readonly random: Random;
  readonly durationMs: number;
  readonly nodes: readonly string[];
  readonly kinds: readonly FaultKind[];
  /** Bounds of the time between the beginnings of two faults, in ms. */
  readonly gapMs: readonly [number, number];
  /** Bounds of how long each lasts, in ms, in place of its kind's own. */
  readonly lastsMs?: readonly [number, number];
  /** Bounds of the delays, and of what a failover loses, in ms, in place of the kind's own. */
  readonly amountMs?: readonly [number, number];
}

/** At first nothing is done, so that there is something to hurt. */
const QUIET_BEGINNING_MS = 1000;
const SHORTEST_MS = 200;
const bounds: Readonly<Partial<Record<FaultKind, readonly [number, number]>>> = {
  'node-kill': [100, 1500],
  'node-stop': [300, 4500],
  'redis-kill': [50, 1500],
  'redis-wipe': [50, 1500],
  'redis-stop': [200, 3500],
  // Beyond the TTL, so that the seat may be another's when the program goes on.
  'client-stop': [timing.ttlMs * 1.05, timing.ttlMs * 1.6],
};
const amounts: Readonly<Partial<Record<FaultKind, readonly [number, number]>>> = {
  // Up to what makes each command late.
  'link-delay': [20, timing.ttlMs * 0.45],
  // Long enough for people to act on one side, and less than the TTL.
  'failover-split': [timing.ttlMs * 0.2, timing.ttlMs * 0.5],
  'machine-lost': [timing.ttlMs * 0.2, timing.ttlMs * 0.5],
};
const AMOUNT_MS = [20, 400] as const;
const LASTS_MS = [300, 3500] as const;

/** The whole plan, from the seed alone. Every kind comes before any comes again. */
export function planFaults(options: ScheduleOptions): PlannedFault[] {
  const { random, durationMs, nodes, kinds, gapMs, lastsMs, amountMs } = options;
  const plan: PlannedFault[] = [];
  let deck: FaultKind[] = [];
  for (
    let atMs = QUIET_BEGINNING_MS;
    atMs < durationMs && kinds.length > 0;
    atMs += random.between(...gapMs)
  ) {
    if (deck.length === 0) deck = random.shuffled(kinds);
    const kind = deck.shift();
    if (kind === undefined) break;
    plan.push({
      atMs,
      kind,
      target: faultTargets[kind] === 'node' ? random.pick(nodes) : faultTargets[kind],
      forMs: Math.min(
        random.between(...(lastsMs ?? bounds[kind] ?? LASTS_MS)),
        Math.max(SHORTEST_MS, durationMs - atMs),
      ),
      amountMs: random.between(...(amountMs ?? amounts[kind] ?? AMOUNT_MS)),
      isOtherWay: random.chance(0.5),
    });
  }
  return plan;
}
