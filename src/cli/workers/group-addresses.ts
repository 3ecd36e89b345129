import type { Clock } from '../../base/clock.js';
import type { Settings } from '../../base/settings.js';
import { Doorkeeper } from '../../gateway/doorkeeper.js';
import type { Refusal } from '../../gateway/upgrade.js';

/** The limits by address of a group: one doorkeeper for all of its workers (promise 11). */
export class GroupAddresses {
  readonly #doorkeeper: Doorkeeper;
  /** Open connections by address of each worker, to be given back where it dies. */
  readonly #open = new Map<number, Map<string, number>>();

  constructor(settings: Settings, clock: Clock) {
    const { connectionsPerAddress, handshakesPerAddress, handshakesPerAddressSecond } = settings;
    // Handshakes a second are a limit of each node.
    const limits = { connectionsPerAddress, handshakesPerAddress, handshakesPerAddressSecond };
    this.#doorkeeper = new Doorkeeper({ ...limits, handshakesPerSecond: 0 }, clock);
  }

  enter(worker: number, address: string, isKnown: boolean): Refusal | null {
    const refusal = this.#doorkeeper.attempted(address) ?? this.#doorkeeper.judge(address, isKnown);
    if (refusal !== null) return refusal;
    this.#doorkeeper.entered(address);
    const open = this.#open.get(worker) ?? new Map<string, number>();
    this.#open.set(worker, open.set(address, (open.get(address) ?? 0) + 1));
    return null;
  }

  left(worker: number, address: string): void {
    const open = this.#open.get(worker);
    const count = open?.get(address);
    if (open === undefined || count === undefined) return;
    if (count === 1) open.delete(address);
    else open.set(address, count - 1);
    this.#doorkeeper.left(address);
  }

  attempted(address: string): Refusal | null {
    return this.#doorkeeper.attempted(address);
  }

  sawStranger(address: string): void {
    this.#doorkeeper.sawStranger(address);
  }

  /** The worker is gone, and its connections with it. */
  forget(worker: number): void {
    for (const [address, count] of this.#open.get(worker) ?? [])
      for (let i = 0; i < count; i += 1) this.#doorkeeper.left(address);
    this.#open.delete(worker);
  }
}
