import type { Clock } from '../base/clock.js';
import type { Refusal } from './upgrade.js';

export interface DoorLimits {
  readonly connectionsPerAddress: number;
  /** In a minute, refused ones included. */
  readonly handshakesPerAddress: number;
  readonly handshakesPerSecond: number;
}

const MINUTE_MS = 60_000;
/** More are not remembered in a minute; those beyond have only the node's own limit. */
const ADDRESSES_REMEMBERED = 100_000;

/** Admission at the door (promise 11): so many connections and attempts an address, so many handshakes a second. */
export class Doorkeeper {
  readonly #openByAddress = new Map<string, number>();
  readonly #attemptsByAddress = new Map<string, number>();
  #minuteSinceMs: number;
  #tokens: number;
  #filledAtMs: number;

  constructor(
    private readonly limits: DoorLimits,
    private readonly clock: Clock,
  ) {
    this.#tokens = limits.handshakesPerSecond;
    this.#minuteSinceMs = this.#filledAtMs = clock();
  }

  /** Whether the address of a peer matters at all: to ask the system for it takes time. */
  get minds(): boolean {
    return this.limits.connectionsPerAddress > 0;
  }

  /** Counts an attempt, good or bad. Null when the address may go on. */
  attempted(address: string): Refusal | null {
    const { handshakesPerAddress, connectionsPerAddress } = this.limits;
    if (handshakesPerAddress === 0 || connectionsPerAddress === 0) return null;
    const nowMs = this.clock();
    if (nowMs - this.#minuteSinceMs >= MINUTE_MS) {
      this.#minuteSinceMs = nowMs;
      this.#attemptsByAddress.clear();
    }
    const before = this.#attemptsByAddress.get(address);
    if (before === undefined && this.#attemptsByAddress.size >= ADDRESSES_REMEMBERED) return null;
    const attempts = (before ?? 0) + 1;
    if (attempts > handshakesPerAddress) {
      const leftSeconds = Math.ceil((this.#minuteSinceMs + MINUTE_MS - nowMs) / 1000);
      return refusal(429, 'too many attempts from this address', leftSeconds, 'address_rate');
    }
    this.#attemptsByAddress.set(address, attempts);
    return null;
  }

  /** Null when the handshake may go on. */
  judge(address: string): Refusal | null {
    const { connectionsPerAddress } = this.limits;
    if (connectionsPerAddress > 0 && (this.#openByAddress.get(address) ?? 0) >= connectionsPerAddress) {
      return refusal(429, 'too many connections from this address', 5, 'address');
    }
    return this.#takeToken() ? null : refusal(503, 'too many handshakes at present', 1, 'rate');
  }

  entered(address: string): void {
    this.#openByAddress.set(address, (this.#openByAddress.get(address) ?? 0) + 1);
  }

  left(address: string): void {
    const open = (this.#openByAddress.get(address) ?? 1) - 1;
    if (open === 0) this.#openByAddress.delete(address);
    else this.#openByAddress.set(address, open);
  }

  /** A token bucket that holds one second's worth. */
  #takeToken(): boolean {
    const perSecond = this.limits.handshakesPerSecond;
    if (perSecond === 0) return true;
    const nowMs = this.clock();
    this.#tokens = Math.min(perSecond, this.#tokens + ((nowMs - this.#filledAtMs) / 1000) * perSecond);
    this.#filledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}

function refusal(
  status: Refusal['status'],
  message: string,
  retryAfterSeconds: number,
  limit: NonNullable<Refusal['limit']>,
): Refusal {
  return { status, message, headers: { 'Retry-After': String(retryAfterSeconds) }, limit };
}
