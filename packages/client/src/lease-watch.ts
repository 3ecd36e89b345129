import type { Clock } from './clock.js';
import { LeaseClock } from './lease-clock.js';

/** Timers stand still in sleep, and a wall clock may be set at any time: so often it is looked. */
const LOOK_EVERY_MS = 1_000;
/** After a stall what lies in the socket is read first: an eviction there says more than a conflict later. */
const READ_MS = 250;

export interface LeaseWatchParts {
  readonly clock: Clock;
  /** The lease passed. Called once for each time that `held` was. */
  readonly onExpired: (deadline: number) => void;
  /** The connection has to be replaced. */
  readonly onBehind: () => void;
}

/** Looks at the lease clock when the lease ends, and every second. */
export class LeaseWatch {
  readonly lease: LeaseClock;
  private isHeld = false;
  private lookTimer: ReturnType<typeof setTimeout> | undefined;
  private readTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly parts: LeaseWatchParts) {
    this.lease = new LeaseClock(parts.clock);
  }

  /** When the lease ends, in `performance.now()` milliseconds, or null where there is none. */
  get deadline(): number | null {
    const leftMs = this.lease.leftMs();
    return leftMs === null ? null : performance.now() + leftMs;
  }

  /** Listeners are told that the seat is here: that it no longer is will be told too. */
  held(): void {
    this.isHeld = true;
  }

  /** Something has happened that changes what the clock says. */
  look(): void {
    clearTimeout(this.lookTimer);
    const leftMs = this.lease.leftMs();
    if (leftMs === null) {
      this.stop();
      return;
    }
    if (leftMs > 0 || this.lease.isConnected)
      this.lookTimer = setTimeout(
        () => this.look(),
        leftMs > 0 ? Math.min(Math.ceil(leftMs), LOOK_EVERY_MS) : LOOK_EVERY_MS,
      );
    if (this.lease.mustResume()) this.replaceSoon();
    if (leftMs > 0 || !this.isHeld) return;
    this.isHeld = false;
    this.parts.onExpired(performance.now() + leftMs);
  }

  /** There is no lease, and its end was told otherwise. */
  private stop(): void {
    this.isHeld = false;
    clearTimeout(this.readTimer);
    this.readTimer = undefined;
  }

  private replaceSoon(): void {
    this.readTimer ??= setTimeout(() => {
      this.readTimer = undefined;
      if (this.lease.mustResume()) this.parts.onBehind();
    }, READ_MS);
  }
}
