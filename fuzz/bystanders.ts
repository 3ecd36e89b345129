import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { tokenOf } from './stage.js';

const POLL_MS = 50;
/** An org of their own: the one that is fuzzed may be spoilt by whoever has an owner's token. */
const ORG = 'bystanders';

/** How late a timer may be before this process counts as having stood still. */
const LATE_MS = 250;
let stoodStillMs = 0;
let lookedAtMs = performance.now();
setInterval(() => {
  const lateMs = performance.now() - lookedAtMs - POLL_MS;
  if (lateMs > LATE_MS) stoodStillMs += lateMs;
  lookedAtMs = performance.now();
}, POLL_MS).unref();

/** Time in which this process ran: what it was kept from seeing is not the broker's fault. */
const awakeMs = () => performance.now() - stoodStillMs;

class Bystander {
  closedWith: number | null = null;
  leases = 0;
  longestGapMs = 0;
  isSeated = false;
  #confirmedAtMs = awakeMs();
  readonly #ws: WebSocket;

  constructor(
    port: number,
    readonly user: string,
  ) {
    const headers = { authorization: `Bearer ${tokenOf(user, ORG)}` };
    this.#ws = new WebSocket(`ws://127.0.0.1:${port}/v1/connect`, 'soleseat.v1', { headers });
    this.#ws.on('open', () =>
      this.#ws.send(JSON.stringify({ type: 'hello', machine: { id: `pc-${user}` } })),
    );
    this.#ws.on('message', (data) => this.#take(JSON.parse(String(data)) as { type: string }));
    this.#ws.on('error', () => {});
    this.#ws.on('close', (code) => {
      this.closedWith = code;
    });
  }

  /** How long ago the broker confirmed the lease. */
  get ageMs(): number {
    return awakeMs() - this.#confirmedAtMs;
  }

  leave(): void {
    this.#ws.terminate();
  }

  #take({ type }: { readonly type: string }): void {
    if (type !== 'welcome' && type !== 'lease') return;
    if (this.isSeated) this.longestGapMs = Math.max(this.longestGapMs, this.ageMs);
    if (type === 'lease') this.leases++;
    this.isSeated = true;
    this.#confirmedAtMs = awakeMs();
  }
}

/** People at work while somebody else makes trouble. */
export class Bystanders {
  private constructor(private readonly all: readonly Bystander[]) {}

  static async seat(port: number, count: number): Promise<Bystanders> {
    const seated = new Bystanders(
      Array.from({ length: count }, (_, index) => new Bystander(port, `user${index}`)),
    );
    while (!seated.all.every(({ isSeated, closedWith }) => isSeated || closedWith !== null))
      await pause(POLL_MS);
    return seated;
  }

  get count(): number {
    return this.all.length;
  }

  /** The longest time for which somebody had no confirmation of the lease, the present one included. */
  get longestGapMs(): number {
    return Math.max(
      ...this.all.map(({ longestGapMs, ageMs, closedWith }) =>
        closedWith === null ? Math.max(longestGapMs, ageMs) : longestGapMs,
      ),
    );
  }

  /** Who lost the connection, and with which code. */
  get lost(): string[] {
    return this.all
      .filter(({ closedWith }) => closedWith !== null)
      .map(({ user, closedWith }) => `${user} with ${closedWith}`);
  }

  /** Waits until each still connected has had one more confirmation, or somebody waits in vain for so long. */
  async confirmed(patienceMs: number): Promise<void> {
    const before = this.all.map(({ leases }) => leases);
    const isServed = () =>
      this.all.every((one, index) => one.closedWith !== null || one.leases > (before[index] ?? 0));
    while (!isServed() && this.longestGapMs <= patienceMs) await pause(POLL_MS);
  }

  leave(): void {
    for (const one of this.all) one.leave();
  }
}
