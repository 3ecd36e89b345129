/**
 * What happened, as each part saw it. All times are `performance.now()` of this process, in ms: the clients live
 * in it, so their beliefs can be compared without comparing clocks.
 */

/** A claim as its client sees it, from the moment of sending. */
export interface Ask {
  readonly user: string;
  readonly program: string;
  readonly machine: string;
  readonly node: string;
  readonly askedMs: number;
  /** Whether a person stands behind it: a start or a click, not the library's own reconnect. */
  readonly isAct: boolean;
  /** It has the holder asked, and may be granted long after it was answered. */
  readonly isAsking: boolean;
  /** `none` for whatever else came: such a claim may have been granted, or not. */
  answer: 'none' | 'welcome' | 'conflict';
  answeredMs: number | null;
}

/** A claim that was welcomed. */
export interface Grant {
  readonly user: string;
  readonly program: string;
  readonly machine: string;
  readonly node: string;
  readonly sessionId: string;
  readonly epoch: number;
  readonly resumed: boolean;
  /** It holds a session that other programs of its machine hold: no grant of its own, and no act that displaces. */
  readonly shared: boolean;
  readonly isAct: boolean;
  readonly askedMs: number;
  readonly ackMs: number;
  /** The highest epoch under which it was confirmed: that of the grant, or one that a `lease` message brought. */
  lastEpoch: number;
  /** The last confirmed command for it: when its node can have sent that at the latest, and when the news came. */
  confirmed: { readonly sentMs: number; readonly heardMs: number };
}

/** Whether a grant had this epoch, from the first on. */
export function isEpochOf({ epoch: first, lastEpoch }: Grant, epoch: number | null): boolean {
  return epoch !== null && first <= epoch && epoch <= lastEpoch;
}

/** Whether two programs of one machine hold this session together. */
export function isTogether(one: Grant, other: Grant): boolean {
  return one.sessionId === other.sessionId && (one.shared || other.shared);
}

/** A `lease` message that brought a new epoch: what was held before a reign is confirmed under one (promise 8). */
export interface Raise {
  readonly grant: Grant;
  readonly epoch: number;
  readonly heardMs: number;
}

export type HoldingEnd = 'evicted' | 'deadline' | 'released' | 'crashed' | 'regranted' | 'left' | 'end';

/** A span in which a program had the right to believe that the seat was its own. */
export interface Holding {
  readonly grant: Grant;
  readonly fromMs: number;
  toMs: number;
  how: HoldingEnd;
  /** By how much the end that the program believed in was ever later than the one that its node told it, in ms. */
  beyondNodeMs: number;
}

/** What a program believed when Redis was asked for its lease. */
export interface Belief {
  readonly user: string;
  readonly program: string;
  readonly epoch: number;
  readonly untilMs: number;
}

export interface Eviction {
  readonly user: string;
  readonly program: string;
  readonly epoch: number;
  readonly byEpoch: number;
  readonly reason: string;
  readonly atMs: number;
}

/** A span in which a program could not be told anything: its connection was broken, or we held it. */
export interface Silence {
  readonly program: string;
  readonly fromMs: number;
  toMs: number;
}

/** A span in which nobody was at work at a program. */
export interface Nap {
  readonly program: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** A seat that was taken along offline. */
export interface Leave {
  readonly user: string;
  readonly program: string;
  readonly machine: string;
  readonly askedMs: number;
  readonly heardMs: number;
  /** It cannot end before: counted from when it was asked for. */
  readonly untilMs: number;
}

/** An administrator's order. `epoch` is null where there was nobody, or where no answer came. */
export interface AdminEviction {
  readonly user: string;
  readonly sentMs: number;
  ackMs: number | null;
  epoch: number | null;
}

/** An epoch shown to the fence while its program believed in its seat, and refused. */
export interface Rejection {
  readonly user: string;
  readonly program: string;
  readonly epoch: number;
  readonly highest: number;
  readonly atMs: number;
}

/** The fence accepted an epoch of another value than before. */
export interface Acceptance {
  readonly user: string;
  readonly program: string;
  readonly epoch: number;
  readonly atMs: number;
}

export interface FaultRecord {
  readonly kind: string;
  /** A node, or `redis`. */
  readonly target: string;
  readonly startMs: number;
  endMs: number;
  readonly note: string;
}

/** Something took this long to answer at that time although nothing was done to it: the machine is busy. */
export interface Slowness {
  readonly where: string;
  readonly atMs: number;
  readonly ms: number;
}

/** The counts of the org in one atomic look. */
export interface Counts {
  readonly atMs: number;
  readonly granted: number;
  readonly reasserted: number;
  readonly ended: number;
  readonly active: number;
  /** How many `ended` events the scripts say that they have written. */
  readonly written: number;
  /** Leases that stand: user → epoch. */
  readonly leases: Readonly<Record<string, number>>;
  /** When each of these leases ends, at the latest. */
  readonly leaseEnds: Readonly<Record<string, number>>;
  /** What the programs believed when the question was sent. */
  readonly beliefs: readonly Belief[];
}

/** The events of the org beside its counters, in one atomic look. */
export interface EndedEvents {
  readonly atMs: number;
  /** By the counters, for each reason. */
  readonly counted: Readonly<Record<string, number>>;
  /** By the counter beside the stream. */
  readonly written: number;
  /** In the stream, for each reason. */
  readonly events: Readonly<Record<string, number>>;
  /** Those of them that do not name their session, epoch, machine and reason. */
  readonly nameless: readonly string[];
  /** Whether the stream has lost its oldest events. */
  readonly isTrimmed: boolean;
}

/** A line of a node's own log that concerns a session. */
export interface NodeEvent {
  readonly node: string;
  readonly atMs: number;
  readonly what: string;
  readonly epoch: number;
  readonly path: string | null;
}

export interface Note {
  readonly atMs: number;
  readonly who: string;
  readonly what: string;
}

export class History {
  startMs = performance.now();
  readonly asks: Ask[] = [];
  readonly grants: Grant[] = [];
  readonly raises: Raise[] = [];
  readonly holdings: Holding[] = [];
  readonly evictions: Eviction[] = [];
  readonly adminEvictions: AdminEviction[] = [];
  readonly leaves: Leave[] = [];
  readonly naps: Nap[] = [];
  readonly silences: Silence[] = [];
  /** The programs that gave their seat back. */
  readonly releases = new Set<string>();
  readonly acceptances: Acceptance[] = [];
  readonly rejections: Rejection[] = [];
  readonly faults: FaultRecord[] = [];
  readonly slowness: Slowness[] = [];
  readonly counts: Counts[] = [];
  readonly endedEvents: EndedEvents[] = [];
  readonly nodeEvents: NodeEvent[] = [];
  /** What went wrong at the time, not by comparison afterwards: a node that ended by itself, say. */
  readonly accidents: Note[] = [];
  readonly notes: Note[] = [];

  /** Everything is in place; from here on times count. */
  begin(): void {
    this.startMs = performance.now();
  }

  note(who: string, what: string): void {
    this.notes.push({ atMs: performance.now(), who, what });
  }

  accident(who: string, what: string): void {
    this.accidents.push({ atMs: performance.now(), who, what });
    this.note(who, what);
  }

  /** A time of this history in seconds since its start, for people. */
  seconds(ms: number): string {
    return ((ms - this.startMs) / 1000).toFixed(3);
  }
}
