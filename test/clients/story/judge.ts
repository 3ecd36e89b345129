import { monotonicMs } from '../../../chaos/timing.js';
import { closeCodes, isFinal } from '../../../packages/client/src/protocol/close-codes.js';
import type { ClientMessage } from '../../../packages/client/src/protocol/messages.js';
import type { Order } from '../../../src/kit/program.js';
import type { Look } from './seat-program.js';
import type { Connection, Told, WireListener } from './wire-record.js';

/**
 * By how much the end that a program reckons may be later than the moment at which its broker's lease ends, as the relay saw
 * it: 100 ms by which a library may let `base` rise (PROTOCOL.md), 10 ms between two steps of /proc/uptime, and roundings. It is
 * well within the tenth of the TTL that a node leaves out: nobody else has the seat that early.
 */
export const LATE_MS = 120;

/**
 * How long a program may take to read what was delivered to it. A machine that does much else lets it wait, so it must also
 * have had the time to ask that often.
 */
const READ_MS = 1_000;
const READ_LOOKS = 25;

const MOST_FINDINGS = 20;

/** Something that was given to the program to read, and how often the program has looked since. */
interface Given {
  readonly atMs: number;
  looks: number;
}

/** The end of what a program was granted, as it was delivered to it. */
interface Ending extends Given {
  readonly what: string;
  readonly connection: Connection | null;
  /** When the lease would have ended without it. */
  readonly leaseEndsMs: number;
}

/** All that is wrong with the programs of one user, by the wire and by what they print. */
export class UserJudge {
  readonly findings: string[] = [];
  readonly #seats: SeatJudge[] = [];

  seat(name: string): SeatJudge {
    const seat: SeatJudge = new SeatJudge(
      (what) => this.findings.length < MOST_FINDINGS && this.findings.push(`${name} ${what}`),
      () => this.#seats.filter((other) => other !== seat),
    );
    this.#seats.push(seat);
    return seat;
  }
}

/**
 * Judges one program. Times are CLOCK_MONOTONIC in ms. The deadline is on the program's clock that goes on in sleep: its
 * sleeps are added.
 */
export class SeatJudge implements WireListener {
  #current: Connection | null = null;
  #leaseEndsMs = Number.NEGATIVE_INFINITY;
  #newestGrant: Told | null = null;
  #ending: Ending | null = null;
  /** A final end after which no person has asked for anything. */
  #final: string | null = null;
  /** What a person asked for last: the program may read it only behind what was delivered meanwhile. */
  #order: Given | null = null;
  #evictedMs = Number.NEGATIVE_INFINITY;
  /** When it was last let in by a claim that displaces nobody. */
  #foundFreeMs = Number.NEGATIVE_INFINITY;
  #acts = 0;
  #takes = 0;
  #isStopped = false;
  readonly #sleeps: { readonly atMs: number; readonly ms: number }[] = [];
  readonly #displaces = new WeakSet<Connection>();

  constructor(
    private readonly report: (what: string) => void,
    private readonly others: () => readonly SeatJudge[],
  ) {}

  /** A person starts the program. What the one before it believed is gone with it. */
  started(): void {
    this.#acts++;
    this.#current = null;
    this.#leaseEndsMs = Number.NEGATIVE_INFINITY;
    this.#newestGrant = null;
    this.#ending = null;
    this.#final = null;
    this.#order = null;
  }

  ordered(order: Order): void {
    this.#final = null;
    this.#order = { atMs: monotonicMs(), looks: 0 };
    if (order === 'takeover') this.#acts++;
    if (order === 'release' || order === 'quit') this.#end(order, monotonicMs(), null);
  }

  /** A person's act of before is no reason to take the seat later. */
  settled(): void {
    this.#acts = this.#takes;
  }

  /** The process stands still: what is delivered lies unread. */
  stopped(): void {
    this.#isStopped = true;
  }

  wentOn(): void {
    this.#isStopped = false;
  }

  /** The computer slept for so long, as far as the program can tell. It stood still meanwhile. */
  slept(ms: number): void {
    this.#sleeps.push({ atMs: monotonicMs(), ms });
  }

  onSaid(message: ClientMessage, connection: Connection): void {
    if (message.type === 'takeover') this.#take(connection, 'a takeover');
    if (message.type !== 'hello') return;
    if (this.#final !== null) this.report(`dials again after ${this.#final}, and no person asked for it`);
    this.#current = connection;
    if (message.onConflict !== 'deny') this.#take(connection, 'a hello that displaces others');
  }

  onPassed({ sent, connection, passedMs }: Told): void {
    if (sent.type === 'evicted') this.#evictedMs = passedMs;
    if (sent.type === 'welcome' && !sent.resumed && !this.#displaces.has(connection))
      this.#foundFreeMs = passedMs;
  }

  onDelivered(told: Told): void {
    const { sent, connection } = told;
    if (connection !== this.#current) return;
    if (sent.type === 'welcome') this.#ending = null;
    if (sent.type === 'welcome' || sent.type === 'lease') this.#granted(told, sent.ttlMs);
    const atMs = told.deliveredMs ?? told.passedMs;
    if (sent.type === 'conflict') this.#end('conflict', atMs, connection);
    if (sent.type === 'evicted') this.#endForGood('evicted', endsForGood(sent.reason), told);
    if (sent.type === 'close' && isFinal(sent.code))
      this.#endForGood(`its final close ${sent.code}`, true, told);
  }

  onLook({ beforeMs, holds }: Look): void {
    const ending = this.#ending;
    for (const given of [ending, this.#order]) if (given !== null) given.looks++;
    if (!holds) return;
    this.#compareWithOthers(beforeMs);
    const nowMs = this.#onItsClock(beforeMs);
    if (nowMs <= this.#leaseEndsMs + LATE_MS) return;
    if (ending === null)
      this.report(`counts on the seat ${over(nowMs, this.#leaseEndsMs)} longer than its lease`);
    else if (nowMs > ending.leaseEndsMs + LATE_MS)
      this.report(`counts on the seat ${over(nowMs, ending.leaseEndsMs)} longer than its lease`);
    else if (hasRead(ending, beforeMs))
      this.report(`counts on the seat ${over(beforeMs, ending.atMs)} after ${ending.what}`);
  }

  #take(connection: Connection, how: string): void {
    this.#displaces.add(connection);
    this.#takes++;
    if (this.#takes > this.#acts) this.report(`takes the seat by ${how}, and no person asked for it`);
  }

  #granted(told: Told, ttlMs: number): void {
    // What still comes on a connection behind an eviction gives nothing back.
    if (this.#ending !== null && this.#ending.connection === told.connection) return;
    this.#newestGrant = told;
    this.#leaseEndsMs = Math.max(this.#leaseEndsMs, this.#onItsClock(told.passedMs) + ttlMs);
  }

  #endForGood(what: string, isForGood: boolean, { connection, deliveredMs, passedMs }: Told): void {
    this.#end(what, deliveredMs ?? passedMs, connection);
    // A program that stands still may leave the connection for its age before it reads what lies there.
    const isBusy = this.#isStopped || (this.#order !== null && !hasRead(this.#order, monotonicMs()));
    if (isForGood && !isBusy) this.#final = what;
  }

  #end(what: string, atMs: number, connection: Connection | null): void {
    if (this.#ending !== null) return;
    this.#ending = { what, atMs, connection, leaseEndsMs: this.#leaseEndsMs, looks: 0 };
    this.#leaseEndsMs = Number.NEGATIVE_INFINITY;
  }

  /** Somebody who displaces nobody is let in only where nobody counts on the seat any more, or was told that it is gone. */
  #compareWithOthers(atMs: number): void {
    const mine = this.#newestGrant;
    if (mine === null || this.#evictedMs > mine.passedMs) return;
    for (const { foundFreeMs } of this.others()) {
      if (foundFreeMs < mine.passedMs || foundFreeMs > atMs) continue;
      this.report(`counts on the seat ${over(atMs, foundFreeMs)} after another machine found it free`);
    }
  }

  private get foundFreeMs(): number {
    return this.#foundFreeMs;
  }

  #onItsClock(ms: number): number {
    return this.#sleeps.reduce((sum, sleep) => sum + (sleep.atMs <= ms ? sleep.ms : 0), ms);
  }
}

function hasRead({ atMs, looks }: Given, nowMs: number): boolean {
  return nowMs > atMs + READ_MS && looks > READ_LOOKS;
}

/** [evicted-without-close]: a reason of a final code, or one that nobody knows. */
function endsForGood(reason: string): boolean {
  const row = closeCodes.find((one) => one.reason === reason);
  return row === undefined || isFinal(row.code);
}

function over(ms: number, sinceMs: number): string {
  return sinceMs === Number.NEGATIVE_INFINITY ? '(it had none)' : `${(ms - sinceMs).toFixed(0)} ms`;
}
