import type { Clock } from './clock.js';

/** A pending call on the wheel. */
export interface WheelTimer {
  cancel(): void;
}

/** A link in a ring, so that an entry leaves its slot without a search, and a slot costs nothing to fill. */
class Link {
  previous: Link = this;
  next: Link = this;

  insertBefore(other: Link): void {
    this.previous = other.previous;
    this.next = other;
    other.previous.next = this;
    other.previous = this;
  }

  remove(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.previous = this;
    this.next = this;
  }
}

class Entry extends Link implements WheelTimer {
  constructor(
    readonly dueTick: number,
    public run: (() => void) | null,
  ) {
    super();
  }

  cancel(): void {
    this.run = null;
    this.remove();
  }
}

/**
 * One hashed timer wheel for a whole node: tens of thousands of pings, renewals and deadlines cost one
 * interval timer. Calls come at the first tick at or after they are due, in the order of their ticks.
 */
export class TimerWheel {
  readonly #slots: readonly Link[];
  readonly #startedAtMs: number;
  #tick = 0;
  #interval: NodeJS.Timeout | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly tickMs: number,
    private readonly onError: (error: unknown) => void,
    slotCount = 1024,
  ) {
    this.#slots = Array.from({ length: slotCount }, () => new Link());
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
    entry.insertBefore(this.#slotOf(dueTick));
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

  #slotOf(tick: number): Link {
    const slot = this.#slots[tick % this.#slots.length];
    if (slot === undefined) throw new RangeError('the tick is negative');
    return slot;
  }

  #runDue(slot: Link, targetTick: number): void {
    // What is due is taken out first: a call may cancel any other, or put a new one where the walk would pass.
    const due = new Link();
    for (let link = slot.next; link !== slot; ) {
      const { next } = link;
      if ((link as Entry).dueTick <= targetTick) {
        link.remove();
        link.insertBefore(due);
      }
      link = next;
    }
    while (due.next !== due) {
      const entry = due.next as Entry;
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
