import type { Clock } from '../base/clock.js';
import { IntervalCounts } from '../base/interval-counts.js';
import { Problem } from './problem.js';

const MINUTE_MS = 60_000;
const FAILURES_A_MINUTE = 20;
/** More addresses and names are not remembered in a minute. */
const REMEMBERED = 10_000;

/** Failed log-ins by address, and by the name that was tried: whoever tries many tokens has to wait. */
export class FailedLogIns {
  readonly #failures: IntervalCounts;

  constructor(clock: Clock) {
    this.#failures = new IntervalCounts(clock, MINUTE_MS, REMEMBERED);
  }

  add({ address, name }: LogIn): void {
    this.#failures.add(`at ${address}`);
    if (name !== null) this.#failures.add(`as ${name}`);
  }

  /** Throws 429 after too many failures within the minute. Not for a good token, which is always let in. */
  refuseMany({ address, name }: LogIn): void {
    this.#refuse(`at ${address}`, 'too many failed log-ins from this address');
    if (name !== null) this.#refuse(`as ${name}`, 'too many failed log-ins of this name');
  }

  #refuse(key: string, why: string): void {
    if (this.#failures.of(key) < FAILURES_A_MINUTE) return;
    const headers = { 'Retry-After': String(this.#failures.leftSeconds) };
    throw new Problem(429, 'too_many_log_ins', why, {}, headers);
  }
}

/** An attempt to log in. */
export interface LogIn {
  readonly address: string;
  /** As the token claims; null where it claims nothing. */
  readonly name: string | null;
}
