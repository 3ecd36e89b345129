import type { Clock } from './clock.js';
import type { Log } from './log.js';
import type { WallClock } from './wall-clock.js';

/** A loop that did not turn for this long stood still: nobody can tell how old what it then reads is. */
const STANDSTILL_MS = 1000;
/** The monotonic clock stands still while a machine sleeps. This much more on the wall clock shows a sleep, or a set clock. */
const SLEPT_MS = 2000;
const LOOK_EVERY_MS = 100;
/**
 * Nothing came in for so many turns in a row: each socket has been read to its end. One turn would do for what lay in
 * open connections; a connection that lay in the backlog takes one turn to be accepted and another to be read.
 */
const QUIET_TURNS = 3;
/** Reading ends after this in any case: a node that newcomers storm has no quiet turns. */
const LONGEST_READING_MS = 1000;

export interface StandstillParts {
  readonly clock: Clock;
  readonly systemMs: WallClock;
  readonly log: Log;
}

/**
 * Notices that this process stood still: stopped, suspended, or busy for a second. What lay in its sockets meanwhile
 * is old, and whoever sent it may have gone (promise 15). So for the first turns after a standstill the node reads
 * only; those who were about to act wait with `afterReading`.
 *
 * A timer alone notices too late at times. A process that is stopped while sockets are ready goes on by reading them,
 * before any timer runs. So whoever reads must `look` too, before it acts.
 */
export class Standstill {
  #lookedAtMs: number;
  #systemMs: number;
  #interval: NodeJS.Timeout | null = null;
  #count = 0;
  #isReading = false;
  #quietTurns = 0;
  #readUntilMs = 0;
  #waiting: (() => void)[] = [];

  constructor(private readonly parts: StandstillParts) {
    this.#lookedAtMs = parts.clock();
    this.#systemMs = parts.systemMs();
  }

  start(): void {
    this.#lookedAtMs = this.parts.clock();
    this.#systemMs = this.parts.systemMs();
    this.#interval ??= setInterval(() => this.look(), LOOK_EVERY_MS);
  }

  stop(): void {
    if (this.#interval !== null) clearInterval(this.#interval);
    this.#interval = null;
  }

  /** How many there have been: who began before one and acts after it can tell by this. */
  get count(): number {
    return this.#count;
  }

  /** Whether the sockets are being read to their end after a standstill, which may be noticed by this very look. */
  look(): boolean {
    const { clock, systemMs } = this.parts;
    const [nowMs, systemNowMs] = [clock(), systemMs()];
    const stoodMs = nowMs - this.#lookedAtMs;
    const sleptMs = systemNowMs - this.#systemMs - stoodMs;
    this.#lookedAtMs = nowMs;
    this.#systemMs = systemNowMs;
    if (stoodMs >= STANDSTILL_MS || sleptMs >= SLEPT_MS) this.#begin(nowMs, stoodMs + Math.max(0, sleptMs));
    return this.#isReading;
  }

  /** Something came in: reading is not at its end. */
  heard(): void {
    this.#quietTurns = 0;
  }

  /** Runs `act` at once, or in its turn when each socket has been read to its end. */
  afterReading(act: () => void): void {
    if (this.#isReading) this.#waiting.push(act);
    else act();
  }

  #begin(nowMs: number, stoodMs: number): void {
    this.#count++;
    this.#quietTurns = 0;
    this.#readUntilMs = nowMs + LONGEST_READING_MS;
    this.parts.log.warn({ stoodMs: Math.round(stoodMs) }, 'this process stood still');
    if (this.#isReading) return;
    this.#isReading = true;
    setImmediate(() => this.#turned());
  }

  /** Runs after the sockets that were ready in this turn of the loop have been read. */
  #turned(): void {
    this.#quietTurns++;
    this.look();
    if (this.#quietTurns < QUIET_TURNS && this.parts.clock() < this.#readUntilMs) {
      setImmediate(() => this.#turned());
      return;
    }
    this.#isReading = false;
    for (const act of this.#waiting.splice(0)) act();
  }
}
