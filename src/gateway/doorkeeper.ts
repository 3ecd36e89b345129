import type { Clock } from '../base/clock.js';
import { IntervalCounts } from '../base/interval-counts.js';
import type { Refusal } from './upgrade.js';

/** Once, where it looks as if nobody had told the broker of a proxy. */
export const proxyHint =
  'very many connections come from one address, which looks like a proxy: SOLESEAT_TRUSTED_PROXIES names those that tell the true one';

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;

export interface DoorLimits {
  readonly connectionsPerAddress: number;
  /** In a minute, refused ones included. */
  readonly handshakesPerAddress: number;
  /** In a second: a burst of one address must not make others wait. */
  readonly handshakesPerAddressSecond: number;
  readonly handshakesPerSecond: number;
}

/** Open connections of one address: more than most offices have programs. */
const LIKE_A_PROXY = 200;
/** Connections of an address that never showed a token that was accepted, in a minute. */
const STRANGERS_PER_MINUTE = 600;
/** More are not remembered in a minute; those beyond have only the node's own limit. */
const ADDRESSES_REMEMBERED = 100_000;

/** Admission at the door (promise 11): so many connections and attempts an address, so many handshakes a second. */
export class Doorkeeper {
  #hasSeenProxy = false;
  readonly #openByAddress = new Map<string, number>();
  readonly #attempts: IntervalCounts;
  readonly #burst: IntervalCounts;
  readonly #strangers: IntervalCounts;
  #tokens: number;
  #filledAtMs: number;

  constructor(
    private readonly limits: DoorLimits,
    private readonly clock: Clock,
  ) {
    this.#attempts = new IntervalCounts(clock, MINUTE_MS, ADDRESSES_REMEMBERED);
    this.#burst = new IntervalCounts(clock, SECOND_MS, ADDRESSES_REMEMBERED);
    this.#strangers = new IntervalCounts(clock, MINUTE_MS, ADDRESSES_REMEMBERED);
    this.#tokens = limits.handshakesPerSecond;
    this.#filledAtMs = clock();
  }

  /** Whether the address of a peer matters at all: to ask the system for it takes time. */
  get minds(): boolean {
    return this.limits.connectionsPerAddress > 0;
  }

  /** Counts an attempt, good or bad. Null when the address may go on. */
  attempted(address: string): Refusal | null {
    if (!this.minds) return null;
    const { handshakesPerAddress, handshakesPerAddressSecond } = this.limits;
    const tooMany = (counts: IntervalCounts, most: number) =>
      most === 0 || counts.add(address) <= most
        ? null
        : refusal(429, 'too many attempts from this address', counts.leftSeconds, 'address_rate');
    return tooMany(this.#attempts, handshakesPerAddress) ?? tooMany(this.#burst, handshakesPerAddressSecond);
  }

  /** A connection of this address ended, or was refused, without a token that was accepted. */
  sawStranger(address: string): void {
    if (this.minds) this.#strangers.add(address);
  }

  /** Null when the handshake may go on. One with an accepted token does not suffer for its neighbours. */
  judge(address: string, isKnown: boolean): Refusal | null {
    const { connectionsPerAddress } = this.limits;
    if (!isKnown && this.#strangers.of(address) >= STRANGERS_PER_MINUTE) {
      const why = 'too many connections from this address without a token that is accepted';
      return refusal(429, why, this.#strangers.leftSeconds, 'strangers');
    }
    if (connectionsPerAddress > 0 && (this.#openByAddress.get(address) ?? 0) >= connectionsPerAddress) {
      return refusal(429, 'too many connections from this address', 5, 'address');
    }
    return this.#takeToken() ? null : refusal(503, 'too many handshakes at present', 1, 'rate');
  }

  /** True once, where so many connections of one address are open that it looks like a proxy. */
  entered(address: string): boolean {
    const open = (this.#openByAddress.get(address) ?? 0) + 1;
    this.#openByAddress.set(address, open);
    if (!this.minds || this.#hasSeenProxy || open < LIKE_A_PROXY) return false;
    this.#hasSeenProxy = true;
    return true;
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
