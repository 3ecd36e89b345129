import type { ClientMessage } from './protocol/messages.js';

/** Tells the broker that the person was at work, where the session has an idle limit. */
export class IdleReport {
  /** Null: this session has no limit, so nothing is told. */
  private everyMs: number | null = null;
  private sentMs = Number.NEGATIVE_INFINITY;
  /** When the person was at work last, in `performance.now()` milliseconds. */
  private activeMs = 0;
  private isWarned = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly send: (message: ClientMessage) => boolean) {}

  /** A `welcome` came, with the interval of its session. */
  begin(everyMs: unknown): void {
    this.stop();
    if (typeof everyMs === 'number') this.everyMs = everyMs; // [idle-untold]
  }

  /** The broker is about to end the session: the next report does not wait. */
  warned(): void {
    this.isWarned = true;
    if (this.timer !== undefined) this.report();
  }

  activity(idleMs: number): void {
    if (this.everyMs === null) return;
    const nowMs = performance.now();
    this.activeMs = Math.max(this.activeMs, nowMs - idleMs);
    const waitMs = this.isWarned ? 0 : this.sentMs + this.everyMs - nowMs; // [idle-warning]
    if (waitMs <= 0) this.report();
    else this.timer ??= setTimeout(() => this.report(), waitMs); // [activity-spacing]
  }

  /** The connection is over. The next `hello` tells how things stand. */
  stop(): void {
    this.everyMs = null;
    this.isWarned = false;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private report(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.isWarned = false;
    this.sentMs = performance.now();
    this.send({ type: 'activity', idleMs: wholeMs(this.sentMs - this.activeMs) }); // [activity-latest]
  }
}

/** What the program says, as the protocol has it. */
export function wholeMs(ms: number): number {
  return Math.min(Math.max(0, Math.round(ms)), Number.MAX_SAFE_INTEGER) || 0;
}
