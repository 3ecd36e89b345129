import type { Clock } from './clock.js';
import type { ServerMessage } from './protocol/messages.js';

/** The wall clock of a machine that is awake goes no further than this ahead of its monotonic clock, between two looks. */
const SLEPT_MS = 2_000;
/** A node's clock may run slower than this one by a thousandth: many times what quartz does. */
const SLEW = 1 / 1_000;
const MOST_SLEW_MS = 100;

/** What is known of one connection, from its `hello` on. */
interface Link {
  /** When the question was sent that is not answered yet: `hello` or `takeover`. */
  askedMs: number | null;
  /** The latest instant by which the node can have begun to count `elapsedMs`. */
  baseMs: number;
  /** When the latest message came that told its age. */
  heardMs: number;
  /** The latest lease that this connection gave; null where it gave none, or where the lease is gone. */
  ttlMs: number | null;
  graceUntilMs: number;
  /** Nothing that comes on this connection counts any more: it has to be replaced. */
  isDoubted: boolean;
}

/**
 * Reckons until when the seat may be counted on. It has no timers: whoever owns it asks.
 *
 * promise 15: a message tells its age, so one that waited in a buffer gives nothing. The node's zero cannot be earlier
 * than the question that it answered (`hello`), so the answer is dated from there; every later message can only move
 * the zero back, to the quickest one of late. promise 6: the node's deadline is before the end in Redis.
 */
export class LeaseClock {
  private endMs: number | null = null;
  private link: Link | null = null;
  private lookedMs: number;
  private lookedWallMs: number | undefined;

  constructor(private readonly clock: Clock) {
    this.lookedMs = clock.now();
    this.lookedWallMs = clock.wall?.();
  }

  get isConnected(): boolean {
    return this.link !== null;
  }

  /** `hello` goes out on a new connection, and what the one before said of its node's zero is void. */
  connected(): void {
    const nowMs = this.look();
    this.link = {
      askedMs: nowMs,
      baseMs: nowMs,
      heardMs: nowMs,
      ttlMs: null,
      graceUntilMs: nowMs,
      isDoubted: false,
    };
  }

  /** `takeover` goes out: what is granted for it was granted after this. */
  asked(): void {
    const nowMs = this.look();
    if (this.link === null) return;
    this.link.askedMs = nowMs;
    this.link.isDoubted = false;
  }

  /** The connection is over. The lease outlives it. */
  disconnected(): void {
    this.look();
    this.link = null; // [lease-outlives]
  }

  /**
   * Any message. `counts` is false for a grant or a renewal that is not of this session. Gives how long the message was
   * under way, in milliseconds.
   */
  heard(message: ServerMessage, counts = true): number {
    const nowMs = this.look();
    const { link } = this;
    if (link === null) return 0;
    const sentMs = dated(link, message, nowMs);
    if (counts && (message.type === 'welcome' || message.type === 'lease')) {
      link.ttlMs = message.ttlMs;
      link.graceUntilMs = nowMs;
      // The newest decides, also when it is less.
      if (!link.isDoubted) this.endMs = sentMs + message.ttlMs; // [lease-newest]
    }
    if (message.type === 'jeopardy') link.graceUntilMs = sentMs + message.graceMs; // [jeopardy-until]
    if (link.ttlMs !== null && nowMs - sentMs > link.ttlMs / 3) link.isDoubted = true; // [lease-behind]
    return nowMs - sentMs;
  }

  /** The lease is gone, known otherwise: nothing is kept, so nothing has to be resumed. */
  clear(): void {
    this.endMs = null;
    if (this.link !== null) this.link.ttlMs = null;
  }

  /** promise 15: whether the seat may be counted on at this moment. */
  holds(): boolean {
    const nowMs = this.look();
    return this.endMs !== null && nowMs < this.endMs; // [lease-until]
  }

  /** Time left, negative when it has passed; null where there is no lease. */
  leftMs(): number | null {
    const nowMs = this.look();
    return this.endMs === null ? null : this.endMs - nowMs;
  }

  /**
   * Whether the session has to be resumed on another connection: this one is behind, or its lease has passed. In jeopardy
   * a lease passes without that: the node tries on for as long as it said, and no other one does better without Redis.
   */
  mustResume(): boolean {
    const nowMs = this.look();
    const { link } = this;
    if (link === null || link.ttlMs === null) return false;
    const hasPassed = this.endMs === null || nowMs >= this.endMs;
    return link.isDoubted || (hasPassed && nowMs >= link.graceUntilMs); // [lease-passed]
  }

  /** Reads the clocks. Two are never added up: a jump of the wall clock only ends what was counted on. */
  private look(): number {
    const nowMs = this.clock.now();
    const wallMs = this.clock.wall?.(); // [lease-no-wall]
    if (
      wallMs !== undefined &&
      this.lookedWallMs !== undefined &&
      wallMs - this.lookedWallMs - (nowMs - this.lookedMs) > SLEPT_MS
    )
      this.slept(nowMs);
    this.lookedMs = nowMs;
    this.lookedWallMs = wallMs;
    return nowMs;
  }

  private slept(nowMs: number): void {
    if (this.endMs !== null) this.endMs = Math.min(this.endMs, nowMs); // [lease-clock]
    if (this.link !== null) this.link.isDoubted = true;
  }
}

/** When the node wrote a message, at the latest, on this clock. */
function dated(link: Link, message: ServerMessage, nowMs: number): number {
  const elapsedMs = 'elapsedMs' in message ? message.elapsedMs : undefined;
  const isAnswer = message.type === 'welcome' || message.type === 'conflict';
  const askedMs = isAnswer ? link.askedMs : null;
  if (isAnswer) link.askedMs = null;
  // A broker from before the age of leases: what it says counts from receipt.
  if (typeof elapsedMs !== 'number') return nowMs; // [lease-legacy]
  const slewMs = Math.min((nowMs - link.heardMs) * SLEW, MOST_SLEW_MS);
  link.baseMs = askedMs === null ? Math.min(link.baseMs + slewMs, nowMs - elapsedMs) : askedMs - elapsedMs; // [lease-base]
  link.heardMs = nowMs;
  return link.baseMs + elapsedMs;
}
