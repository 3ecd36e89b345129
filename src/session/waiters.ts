import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { TimerWheel, WheelTimer } from '../base/timer-wheel.js';
import type { Asks } from '../store/asks.js';
import type { WaiterNotice } from '../store/notices.js';
import type { Link } from './link.js';

/** A question that was put to nobody within this time counts as answered with yes. */
const PUT_WITHIN_MS = 2000;
const EARLY_KEPT = 1000;
/** The clocks of Redis and of this node go apart a little. */
const TICKET_ENDS_MS = 100;

export interface Waiter {
  readonly org: string;
  readonly user: string;
  /** The connection of the claim that was answered by `conflict`. */
  readonly connection: string;
  readonly link: Link;
  /** The question that it asks; null: it only waits. */
  readonly question: { readonly askId: string; readonly waitMs: number } | null;
  /** When a ticket has ended that keeps others out, of which no script tells; null where none does. */
  readonly freeInMs: number | null;
  /** To claim with the question: the script decides by what has been answered. */
  readonly complete: (ask: { readonly askId: string; readonly isUnput: boolean }) => void;
}

interface Waiting extends Waiter {
  timer: WheelTimer | null;
  /** Monotonic ms: until when an answer is waited for. */
  readonly untilMs: number;
}

export interface WaitersParts {
  readonly asks: Pick<Asks, 'withdraw'>;
  readonly wheel: TimerWheel;
  readonly clock: Clock;
  readonly log: Log;
}

/** The connections of this node that were answered `conflict`, and wait for a person's choice or for the holder's answer. */
export class Waiters {
  readonly #waiting = new Map<string, Waiting>();
  /** Notices that came before the answer to the claim that they are about, by its connection; the newest few. */
  readonly #early = new Map<string, WaiterNotice>();

  constructor(private readonly parts: WaitersParts) {}

  /** `isKnownPut`: the question was put before, and its answer is waited for again. */
  add(waiter: Waiter, isKnownPut: boolean): void {
    const untilMs = this.parts.clock() + (waiter.question?.waitMs ?? 0);
    const waiting: Waiting = { ...waiter, timer: null, untilMs };
    this.#waiting.set(waiter.connection, waiting);
    const early = this.#early.get(waiter.connection);
    this.#early.delete(waiter.connection);
    if (waiter.question === null) {
      if (early?.type === 'seat_free') this.receive(early);
      const { freeInMs, link } = waiter;
      if (freeInMs !== null)
        waiting.timer = this.parts.wheel.after(freeInMs + TICKET_ENDS_MS, () =>
          link.send({ type: 'seat_free' }),
        );
      return;
    }
    const { waitMs } = waiter.question;
    if (isKnownPut || waitMs <= PUT_WITHIN_MS) this.#completeAfter(waiting, waitMs, false);
    else this.#completeAfter(waiting, PUT_WITHIN_MS, true);
    if (early !== undefined) this.receive(early);
  }

  #keepEarly(notice: WaiterNotice): void {
    this.#early.set(notice.connection, notice);
    const [oldest] = this.#early.keys();
    if (this.#early.size > EARLY_KEPT && oldest !== undefined) this.#early.delete(oldest);
  }

  /** It waits no more; where it has gone, its question goes with it. */
  remove(connection: string, hasGone: boolean): void {
    const waiting = this.#waiting.get(connection);
    if (waiting === undefined) return;
    this.#waiting.delete(connection);
    waiting.timer?.cancel();
    if (!hasGone) return;
    const askId = waiting.question?.askId ?? null;
    this.parts.asks.withdraw(waiting, connection, askId).catch((error: unknown) => {
      // The question ends with its time.
      this.parts.log.debug(
        { org: waiting.org, reason: String(error) },
        'a waiting connection is not taken off the list',
      );
    });
  }

  receive(notice: WaiterNotice): void {
    const waiting = this.#waiting.get(notice.connection);
    if (waiting === undefined) {
      this.#keepEarly(notice);
      return;
    }
    const { question } = waiting;
    switch (notice.type) {
      case 'seat_free':
        if (question !== null) waiting.complete({ askId: question.askId, isUnput: false });
        else waiting.link.send({ type: 'seat_free' });
        break;
      case 'put':
        // A holder that resumes is asked anew, and has no more time by that.
        if (question?.askId === notice.askId)
          this.#completeAfter(waiting, Math.max(0, waiting.untilMs - this.parts.clock()), false);
        break;
      case 'answered':
        if (question?.askId !== notice.askId) break;
        // With `open` the holder needs more time, and the script tells how much is left.
        waiting.complete({ askId: question.askId, isUnput: false });
    }
  }

  #completeAfter(waiting: Waiting, ms: number, isUnput: boolean): void {
    const { question } = waiting;
    if (question === null) return;
    waiting.timer?.cancel();
    waiting.timer = this.parts.wheel.after(ms, () => waiting.complete({ askId: question.askId, isUnput }));
  }
}
