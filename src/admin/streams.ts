import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from './problem.js';

const MAX_OPEN = 64;
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What a stream needs to know of who asks. */
interface Asker {
  readonly caller: { readonly expiresAtMs: number };
  readonly reply: { type(name: string): unknown; header(name: string, value: string): unknown };
  /** Aborted when they have gone. */
  readonly signal: AbortSignal;
}

/** The streams that are open at this node: each costs memory and asks Redis, so there are only so many. */
export class Streams {
  #open = 0;

  constructor(private readonly wallMs: () => number) {}

  /**
   * Answers with a stream. It is read no faster than whoever asked reads, and ends when they have gone or their token
   * has run out. Throws 503 when too many are open.
   */
  answer(asker: Asker, contentType: string, make: (signal: AbortSignal) => AsyncIterable<string>): Readable {
    if (this.#open >= MAX_OPEN) {
      const headers = { 'Retry-After': '5' };
      throw new Problem(503, 'too_many_streams', 'too many streams are open at this node', {}, headers);
    }
    this.#open += 1;
    // Whole: the timer takes no fractions, which the wall clock has.
    const leftMs = Math.max(0, Math.floor(asker.caller.expiresAtMs - this.wallMs()));
    const signal = AbortSignal.any([asker.signal, AbortSignal.timeout(Math.min(leftMs, MAX_TIMER_MS))]);
    asker.reply.type(contentType);
    // No buffering by what stands in front: events are to be seen when they happen.
    asker.reply.header('X-Accel-Buffering', 'no');
    return Readable.from(make(signal), { highWaterMark: 1 }).once('close', () => {
      this.#open -= 1;
    });
  }
}

/** One message of a `text/event-stream`. */
export function serverSentEvent(data: object, { id, name }: { id?: string; name?: string } = {}): string {
  const head = `${id === undefined ? '' : `id: ${id}\n`}${name === undefined ? '' : `event: ${name}\n`}`;
  return `${head}data: ${JSON.stringify(data)}\n\n`;
}

/** Keeps what stands between from closing a quiet stream. */
export const KEEP_ALIVE = ': still here\n\n';

/** Waits. False: whoever waited for it has gone. */
export async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal }).catch(() => false);
}
