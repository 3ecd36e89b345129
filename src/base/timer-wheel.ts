import type { Clock } from './clock.js';

/** A pending call on the wheel. */
export interface WheelTimer {
  cancel(): void;
}

class Entry implements WheelTimer {
  run: (() => void) | null;
  slot: Set<Entry> | null = null;
  constructor(
    readonly dueTick: number,
    run: () => void,
  ) {
    this.run = run;
  }
  cancel(): void {
    this.run = null;
    this.slot?.delete(this);
    this.slot = null;
  }
}

/**
 * One hashed timer wheel for a whole node: tens of thousands of pings, renewals and deadlines cost one
 * interval timer. Calls come at the first tick at or after they are due, in the order of their ticks.
 */
export class TimerWheel {
  readonly #slots: Set<Entry>[];
  readonly #startedAtMs: number;
  #tick = 0;
  #interval: NodeJS.Timeout | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly tickMs: number,
    private readonly onError: (error: unknown) => void,
    slotCount = 1024,
  ) {
    this.#slots = Array.from({ length: slotCount }, () => new Set<Entry>());
    this.#startedAtMs = clock();
  }

  start(): void {
    this.#interval ??= setInterval(() => this.advance(), this.tickMs);
  }

  stop(): void {
    if (this.#interval !== null) clearInterval(this.#interval);
    this.#interval = null;
  }

  /** Runs `run` once, `delayMs` from now or up to a tick later. */
  after(delayMs: number, run: () => void): WheelTimer {
    const sinceStartMs = this.clock() - this.#startedAtMs;
    const dueTick = Math.max(this.#tick + 1, Math.ceil((sinceStartMs + delayMs) / this.tickMs));
    const entry = new Entry(dueTick, run);
    entry.slot = this.#slotOf(dueTick);
    entry.slot.add(entry);
    return entry;
  }

  /** Runs what is due by now; after a stall it catches up tick by tick. */
  advance(): void {
    const targetTick = Math.floor((this.clock() - this.#startedAtMs) / this.tickMs);
    // After a stall of more than one turn, one turn visits every slot.
    const firstTick = Math.max(this.#tick + 1, targetTick - this.#slots.length + 1);
    this.#tick = Math.max(this.#tick, targetTick);
    for (let tick = firstTick; tick <= targetTick; tick++) this.#runDue(this.#slotOf(tick), targetTick);
  }

  #slotOf(tick: number): Set<Entry> {
    const slot = this.#slots[tick % this.#slots.length];
    if (slot === undefined) throw new RangeError('the tick is negative');
    return slot;
  }

  #runDue(slot: Set<Entry>, targetTick: number): void {
    for (const entry of slot) {
      if (entry.dueTick > targetTick) continue;
      const { run } = entry;
      entry.cancel();
      try {
        run?.();
      } catch (error) {
        this.onError(error);
      }
    }
  }
}
