import type { Clock } from '../base/clock.js';
import type { Refusal } from './upgrade.js';

/** Admission at the door (promise 11): so many connections an address, so many handshakes a second. */
export class Doorkeeper {
  readonly #openByAddress = new Map<string, number>();
  #tokens: number;
  #filledAtMs: number;

  constructor(
    private readonly limits: { readonly connectionsPerAddress: number; readonly handshakesPerSecond: number },
    private readonly clock: Clock,
  ) {
    this.#tokens = limits.handshakesPerSecond;
    this.#filledAtMs = clock();
  }

  /** Null when the handshake may go on. */
  judge(address: string): Refusal | null {
    const { connectionsPerAddress } = this.limits;
    if (connectionsPerAddress > 0 && (this.#openByAddress.get(address) ?? 0) >= connectionsPerAddress) {
      return {
        status: 429,
        message: 'too many connections from this address',
        headers: { 'Retry-After': '5' },
        limit: 'address',
      };
    }
    if (!this.#takeToken()) {
      return {
        status: 503,
        message: 'too many handshakes at present',
        headers: { 'Retry-After': '1' },
        limit: 'rate',
      };
    }
    return null;
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
