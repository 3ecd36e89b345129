import { addressOf } from '../base/address.js';
import type { Clock } from '../base/clock.js';
import { Problem } from './problem.js';

const MINUTE_MS = 60_000;
const FAILURES_A_MINUTE = 20;
/** More addresses are not remembered in a minute. */
const ADDRESSES_REMEMBERED = 10_000;

/** Failed log-ins by address: whoever tries many tokens has to wait. */
export class FailedLogIns {
  readonly #failures = new Map<string, number>();
  #sinceMs: number;

  constructor(private readonly clock: Clock) {
    this.#sinceMs = clock();
  }

  add(remoteAddress: string): void {
    this.#turn();
    const address = addressOf(remoteAddress);
    const before = this.#failures.get(address);
    if (before === undefined && this.#failures.size >= ADDRESSES_REMEMBERED) return;
    this.#failures.set(address, (before ?? 0) + 1);
  }

  /** Throws 429 after too many failures within the minute. */
  refuseMany(remoteAddress: string): void {
    this.#turn();
    if ((this.#failures.get(addressOf(remoteAddress)) ?? 0) < FAILURES_A_MINUTE) return;
    const waitSeconds = Math.ceil((this.#sinceMs + MINUTE_MS - this.clock()) / 1000);
    throw new Problem(
      429,
      'too_many_log_ins',
      'too many failed log-ins from this address',
      {},
      { 'Retry-After': String(Math.max(1, waitSeconds)) },
    );
  }

  #turn(): void {
    if (this.clock() - this.#sinceMs < MINUTE_MS) return;
    this.#sinceMs = this.clock();
    this.#failures.clear();
  }
}
