import type { RedisClock } from './redis-clock.js';

/** What every reply of a seat's script tells beside its answer. */
export interface Learnt {
  /** Redis ms, when the script ran. */
  readonly now?: string;
  /** The highest epoch of the org that Redis knows. */
  readonly given?: string;
  /** The newest event that the script wrote. */
  readonly event?: string;
  /** What Redis knew of the org when a reign began with this script. */
  readonly reign?: ReignBegun;
}

export interface ReignBegun {
  /** The last epoch given; 0 where there was none. */
  readonly was: string;
  /** The newest event; 0-0 where there was none. */
  readonly event: string;
  /** The first epoch of the reign. */
  readonly first: string;
}

/** Redis knows less of an org than this node has seen of it: a failover lost writes, or an older copy was put back. */
export interface Setback {
  readonly org: string;
  /** From the newest event that Redis has to the newest that this node has seen; null where events tell nothing. */
  readonly lostMs: number | null;
  readonly epochSeen: number;
  readonly epochFound: number;
}

/**
 * How far this node has seen each org's past (promise 8): epochs above it are new, and a Redis that falls short of it
 * has gone back in time.
 */
export class Horizon {
  readonly #epochs = new Map<string, number>();
  readonly #events = new Map<string, string>();

  constructor(
    private readonly redisClock: Pick<RedisClock, 'furthestMs'>,
    private readonly onSetback: (setback: Setback) => void = () => {},
  ) {}

  /** All that were claimed for here, whatever became of the sessions: Redis may have lost that they exist. */
  get orgs(): readonly string[] {
    return [...this.#epochs.keys()];
  }

  /** What a script needs to begin a reign above all that this node has seen: epochs and µs, as text. */
  boundsOf(org: string): { readonly floor: string; readonly view: string } {
    return {
      floor: String(this.#epochs.get(org) ?? 0),
      view: String(Math.ceil(this.redisClock.furthestMs() * 1000)),
    };
  }

  see(org: string, epoch: number): void {
    this.#epochs.set(org, Math.max(epoch, this.#epochs.get(org) ?? 0));
  }

  learn(org: string, { reign, given, event }: Learnt): void {
    if (reign !== undefined) this.#compare(org, reign);
    if (given !== undefined) this.see(org, Number(given));
    if (event !== undefined) this.#events.set(org, event);
  }

  #compare(org: string, { was, event, first }: ReignBegun): void {
    const seen = this.#events.get(org);
    const lostMs = seen !== undefined && isBefore(event, seen) ? timeOf(seen) - timeOf(event) : null;
    const epochSeen = this.#epochs.get(org) ?? 0;
    // A reply that was lost and is answered from the record: this node has seen more of the reign by now.
    if (epochSeen >= Number(first)) return;
    const epochFound = Number(was);
    if (lostMs !== null || epochFound < epochSeen) this.onSetback({ org, lostMs, epochSeen, epochFound });
  }
}

/** Of two ids of stream entries, `<ms>-<sequence>`. */
function isBefore(one: string, other: string): boolean {
  const sequenceOf = (id: string) => Number(id.split('-')[1]);
  return (
    timeOf(one) < timeOf(other) || (timeOf(one) === timeOf(other) && sequenceOf(one) < sequenceOf(other))
  );
}

function timeOf(id: string): number {
  return Number(id.split('-')[0]);
}
